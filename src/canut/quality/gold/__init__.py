"""Items whose right answer is known, hidden in the work: drawn, judged, retired."""
