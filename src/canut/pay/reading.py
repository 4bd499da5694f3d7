"""What all lists of pay share."""

#: behind every id and every moment: lists that are read backwards begin here
EVER = 2**62
