"""What can be outsourced: processes, their steps, instructions, samples and versions."""
