"""What folders and names say of a file: a bin, a cache, a copy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

__all__ = ["is_aside", "is_below", "named_like_a_copy"]

_ASIDE = re.compile(
    r"""^(
        \#?recycle | \$recycle\.bin | @recycle | recycler | \.?trash(es|ed|[-.].*)? | bin | deleted
        | recently\ deleted | papierkorb | corbeille | papelera | lixeira | cestino | prullenbak
        | корзина | 回收站 | ごみ箱
        | \.?cache[sd]? | \.?thumb(nail)?s? | \.@__thumb | @eadir | \.?te?mp | lost\+found
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_COPY = re.compile(
    r"""(
        (^|[\s_-]) (copy|kopie|kopia|kopi|copie|copia|cópia|копия|копія|kopya|másolat|kopio)
            (\ (of|de|von|di|van)\b | [\s_-]*\(?\d*\)? $ )
        | [\s_]\(\d{1,3}\)$                  # picture (1)
        | の?コピー | 副本 | 复制 | 複本 | 사본
        | [-_\s](edited|edit|bearbeitet|modifi[eé]e?|editad[oa]|modificato|bewerkt|redigerad
            |edytowane|изменено|muokattu|redigeret|已修改|編集済み)(\(\d+\))?$
        | ^(copy|kopie|copie|copia|cópia|копия)\ (of|de|von|di|van)\ \S
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def is_aside(path: str) -> bool:
    """Tell whether a file lies in a bin, a cache or a folder of thumbnails, whatever is below it.

    Examples
    --------
    >>> is_aside("/nas/#recycle/2019/a.jpg"), is_aside("/home/me/recycling/a.jpg")
    (True, False)
    """
    return any(_ASIDE.match(part) for part in os.path.dirname(path).split(os.sep))


def named_like_a_copy(path: str) -> bool:
    """Tell whether a file's name says that it is a copy or an edit of another.

    Examples
    --------
    >>> [named_like_a_copy(name) for name in ("IMG_1 (1).jpg", "Copy of b.jpg", "b - Kopie.jpg")]
    [True, True, True]
    >>> [named_like_a_copy(name) for name in ("IMG_1.jpg", "copyright.jpg", "photocopy.jpg")]
    [False, False, False]
    """
    return _COPY.search(os.path.splitext(os.path.basename(path))[0]) is not None


def is_below(path: str, folders: Iterable[str | os.PathLike[str]]) -> bool:
    """Tell whether a path lies in one of some folders, by name and by where links lead.

    Examples
    --------
    >>> is_below("/a/b/c.jpg", ["/a"]), is_below("/ab/c.jpg", ["/a"])
    (True, False)
    """
    names = {os.path.abspath(path), os.path.realpath(path)}
    return any(
        name.startswith(os.path.join(os.fspath(each), ""))
        for folder in folders
        for each in {os.path.abspath(folder), os.path.realpath(folder)}
        for name in names
    )
