"""What scikit-learn asks of an estimator, told without importing it, which takes a second.

It is imported where it asks for something only it knows: tags, routing, a picture in a notebook.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Self

from recurra.errors import OptionError, near

if TYPE_CHECKING:
    from sklearn.utils import Tags
    from sklearn.utils.metadata_routing import MetadataRequest

__all__ = ["Estimator"]

ROUTED = ("fit", "partial_fit", "predict", "predict_proba", "score")


def _request(method: str) -> Callable[..., Any]:
    """Make the function by which a user says what scikit-learn is to hand on to a method."""

    def set_request(self: Any, **requests: bool | str | None) -> Any:
        routing = self.get_metadata_routing()
        asked = getattr(routing, method)
        for name, alias in requests.items():
            if name not in asked.requests:
                raise TypeError(f"{method} takes no {name!r}. {near(name, asked.requests)}")
            asked.add_request(param=name, alias=alias)
        self._metadata_request = routing
        return self

    set_request.__name__ = f"set_{method}_request"
    set_request.__qualname__ = f"Estimator.{set_request.__name__}"
    set_request.__doc__ = f"""Say which arguments scikit-learn's routing hands on to `{method}`.

        Parameters
        ----------
        **requests : bool, str or None
            By name of the argument: True to be given it, False not, None for an error if it is
            there, or the name under which it is passed.

        Returns
        -------
        Estimator
            Itself; a clone asks for the same.
        """
    return set_request


class Estimator:
    """Keeps scikit-learn's protocol: a constructor stores its options, under their own names.

    So `clone`, `Pipeline`, `GridSearchCV` and scikit-learn's other tools take it for one of theirs,
    though it is no `sklearn.base.BaseEstimator`.

    Examples
    --------
    >>> class Mean(Estimator):
    ...     def __init__(self, share=1.0):
    ...         self.share = share
    >>> Mean().set_params(share=0.5)
    Mean(share=0.5)
    """

    _metadata_request: MetadataRequest
    """What the ``set_…_request`` methods were told; scikit-learn looks for it under this name."""

    set_fit_request = _request("fit")
    set_partial_fit_request = _request("partial_fit")
    set_predict_request = _request("predict")
    set_predict_proba_request = _request("predict_proba")
    set_score_request = _request("score")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Give the options that the constructor stored.

        Parameters
        ----------
        deep : bool
            Whether to give those of estimators among them too, as ``option__of_the_option``.

        Returns
        -------
        dict of str
            By name, sorted.
        """
        found: dict[str, Any] = {}
        for name in sorted(_options(type(self))):
            value = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                found |= {f"{name}__{key}": each for key, each in value.get_params().items()}
            found[name] = value
        return found

    def set_params(self, **params: Any) -> Self:
        """Change options.

        Parameters
        ----------
        **params
            New values by name; ``option__of_the_option`` reaches into an option.

        Returns
        -------
        Estimator
            Itself.

        Raises
        ------
        OptionError
            If there is no such option.
        """
        known, inner = self.get_params(deep=False), dict[str, dict[str, Any]]()
        for key, value in params.items():
            name, _, rest = key.partition("__")
            if name not in known:
                said = f"Invalid parameter {name!r} for estimator {self}"
                raise OptionError(f"{said}. {near(name, known)}")
            if rest:
                inner.setdefault(name, {})[rest] = value
            else:
                setattr(self, name, value)
        for name, values in inner.items():
            getattr(self, name).set_params(**values)
        return self

    def __repr__(self) -> str:
        usual, given = _options(type(self)), self.get_params(deep=False)
        parts = [f"{k}={v!r}" for k, v in given.items() if repr(v) != repr(usual[k].default)]
        return f"{type(self).__name__}({', '.join(parts)})"

    def _repr_html_(self) -> str | None:
        """Show itself in a notebook as scikit-learn shows its own, where that shows diagrams."""
        from sklearn import get_config
        from sklearn.utils import estimator_html_repr

        return estimator_html_repr(self) if get_config()["display"] == "diagram" else None

    def get_metadata_routing(self) -> MetadataRequest:
        """Tell scikit-learn's routing which arguments the methods take, and which are asked for.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRequest
            By method and argument; the ``set_…_request`` methods change it.
        """
        from sklearn.utils.metadata_routing import MetadataRequest

        if hasattr(self, "_metadata_request"):
            return deepcopy(self._metadata_request)
        routing = MetadataRequest(owner=type(self).__name__)
        for method in ROUTED:
            if hasattr(self, method):
                for name, each in signature(getattr(self, method)).parameters.items():
                    if name not in ("X", "y") and each.kind is not Parameter.VAR_KEYWORD:
                        getattr(routing, method).add_request(param=name, alias=None)
        return routing

    def __sklearn_tags__(self) -> Tags:
        """Say to scikit-learn what kind of estimator it is: none of its own, at first."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False))


def _options(kind: type) -> dict[str, Parameter]:
    """Give what a constructor takes, but for itself."""
    return dict(signature(kind).parameters)
