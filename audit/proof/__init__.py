"""Proving that the log is whole: digests, the chain of seals, what an erasure took out, and files of old rows."""
