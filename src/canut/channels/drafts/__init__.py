"""Batches in the making: a file, what its columns are, what is asked about each row, how good the
answers must be. A draft is kept until it is launched, deleted, or left alone for a week."""
