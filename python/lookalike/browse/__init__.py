"""A gallery in the browser: find what looks like this, clean up, see which distance finds what.

``server.py`` puts it together and runs it, ``safety.py`` stands before every request, ``state.py``
is what is looked at. A page has a file of its own; its HTML is in ``templates/``, its style and its
JavaScript, which are used as they are, in ``static/``.
"""
