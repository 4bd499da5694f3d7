"""How the documentation is built: `sphinx-build -W -b html docs docs/_build`."""

from canut import __version__

project = "Canut"
author = "the Canut contributors"
copyright = "the Canut contributors, AGPL-3.0-or-later"
version = release = __version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True

myst_heading_anchors = 3

html_theme = "furo"
html_title = "Canut"
html_favicon = "../src/canut/web/static/mark.svg"
html_copy_source = False
# nothing is fetched from elsewhere: the pages work without a network
html_theme_options = {
    "sidebar_hide_name": False,
    "light_css_variables": {"color-brand-primary": "#83204f", "color-brand-content": "#83204f"},
    "dark_css_variables": {"color-brand-primary": "#e2a0ad", "color-brand-content": "#e2a0ad"},
}
