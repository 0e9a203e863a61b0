"""The endpoints, a module for each group. Each has a `router`; `app` puts them together."""

from starlette.convertors import PathConvertor, register_url_convertor


class IdConvertor(PathConvertor):
    """An id in a path: whatever it holds, slashes and line breaks too."""

    regex = "(?s:.*)"


register_url_convertor("id", IdConvertor())
