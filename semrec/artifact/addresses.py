"""The operator's addresses put into a configuration: an artifact has none to say."""

from __future__ import annotations

from semrec.config import Config, EncoderConfig, RerankConfig
from semrec.endpoint import Addresses
from semrec.errors import ArtifactError, ConfigError

PARTS = ("encoder", "rerank")  # of a configuration, and of `Addresses`
REMOTE = ("chat", "endpoint")  # kinds of models that are served elsewhere


def with_addresses(config: Config, addresses: Addresses) -> Config:
    """The operator's own configuration; what it leaves open is as `addresses` say.

    Raises:
        ConfigError: If neither says where a model is that is served elsewhere.
    """
    update = {}
    for name in PARTS:
        part: EncoderConfig | RerankConfig = getattr(config, name)
        if not part.url:
            address = getattr(addresses, name)
            if part.kind in REMOTE and not address.url:
                raise ConfigError(
                    f"{name}.kind is {part.kind}, and nothing says where {part.model!r} is: "
                    f"{name}.url, or SEMREC_{name.upper()}_URL"
                )
            said = {"url": address.url, "key_variable": address.key_variable or part.key_variable}
            update[name] = part.model_copy(update=said)
    return config.model_copy(update=update)


def as_served(config: Config, addresses: Addresses, source: str) -> Config:
    """An artifact's configuration with the operator's addresses in it, and with no others.

    Args:
        config: As the artifact has it.
        addresses: As the operator says.
        source: For messages.

    Raises:
        ArtifactError: If the artifact names an address or a variable and the operator says none:
            else whoever made it could have words and keys sent to them.
    """
    update = {}
    for name in PARTS:
        part: EncoderConfig | RerankConfig = getattr(config, name)
        address = getattr(addresses, name)
        named = part.url or part.key_variable
        if named and not address.url:
            raise ArtifactError(
                f"{source}: names {named!r:.100} in {name}; where words and keys go is for you to "
                f"say, not for an artifact: serve --{name}-url URL, or SEMREC_{name.upper()}_URL"
            )
        said = {"url": address.url, "key_variable": address.key_variable}
        update[name] = part.model_copy(update=said)
    return config.model_copy(update=update)
