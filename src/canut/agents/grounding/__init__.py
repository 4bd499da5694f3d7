"""Where in an item a value comes from, and whether it passes the checks of its process."""
