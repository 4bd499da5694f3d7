"""What a step knows of its contributors, and how far its confidences can be taken at their word."""
