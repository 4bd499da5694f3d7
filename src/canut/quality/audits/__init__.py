"""Delivered decisions drawn from closed lists and answered again, blind; disputes over them."""
