"""What is deleted for good, when, and what a legal hold keeps."""
