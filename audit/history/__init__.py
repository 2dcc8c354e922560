"""The log as people read it: pages of histories, what each entry says, and what is new since somebody looked."""
