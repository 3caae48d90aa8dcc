# SPDX-License-Identifier: Apache-2.0
"""The CCI texts that the published SDK makes by formatting strings (spec sdk-cci section 7). Standard library only."""

import base64

SDK_VERSION = "25.10.0+20251001"


def encode(text):
    """CCI text as it stands in a JSON body."""
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def vc(name, kind="compute"):
    return f"""
- vc:
    cci_version: "{SDK_VERSION}"
    type: {kind}
    description: "{name}"
    name: {name}
"""


def unit(name, provider, params, *, num_nodes=1, image="vcp/base:1.8.1-alpine3.13-x86_64", volumes=(), environment=(),
         docker_opt=None, network="default"):
    """A compute unit. `params` is the text of the cloud_params block; see onpremises() and mock()."""
    def items(values):
        return "".join(f"\n        - {value}" for value in values) if values else " []"

    return f"""
- unit:
    cci_version: "1.1"
    name: {name}
    description: ""
    private_network: {network}
    num_nodes: {num_nodes}
    image: {image}
    recovery_mode: none
    docker_opt: {docker_opt or {}}
    params:
        v:{items(volumes)}
        e:{items(environment)}
    cloud_provider: {provider}
    cloud_params:
{params}
"""


def disk_unit(name, provider, params, *, num_disks=1, network="default"):
    """A storage unit (spec sdk-cci 7.3)."""
    return f"""
- unit:
    cci_version: "1.0"
    name: {name}
    description: ""
    private_network: {network}
    num_disks: {num_disks}
    cloud_provider: {provider}
    cloud_params:
{params}
"""


def onpremises(addresses, user_name="ubuntu", network_if=None):
    """cloud_params of existing servers. The SDK prints Python's None, and leaves num_nodes at 1."""
    return f"""        cci_version: "1.0"
        user_name: {user_name}
        ip_address_list: {list(addresses)}
        network_if: {network_if}"""


def mock(addresses=(), tags=None, volumes=()):
    """cloud_params of the simulated cloud."""
    return f"""        cci_version: "1.0"
        ip_address_list: {list(addresses)}
        volume_id: {list(volumes)}
        tags: {tags or {}}"""


def mock_disk(size):
    return f"""        cci_version: "1.0"
        size: {size}
        tags: {{}}"""


def aws(access_key, secret_key, *, addresses=(), volumes=(), tags=None, image="default", instance_type="m5.large", size=16,
        spot=None):
    """cloud_params of aws, and with `spot` (a pair: type, price) of aws_spot, in the SDK's order."""
    spot_lines = "" if spot is None else f"""
        spot_type: {spot[0]}
        spot_price: "{spot[1]}"
        block_duration_minutes: 0"""
    return f"""        cci_version: "{'1.2' if spot is None else '1.1'}"{spot_lines}
        instance_type: {instance_type}
        volume_size: {size}
        volume_type: gp2
        cloud_image: {image}
        ip_address_list: {list(addresses)}
        access_key: {access_key}
        volume_id: {list(volumes)}
        secret_key: {secret_key}
        tags: {tags or {}}"""


def aws_disk(access_key, secret_key, size, *, kind="gp3", image="default", tags=None):
    return f"""        cci_version: "1.0"
        size: {size}
        type: {kind}
        cloud_image: {image}
        access_key: {access_key}
        secret_key: {secret_key}
        tags: {tags or {}}"""


def openstack(login, *, flavor="vc.small", addresses=(), volumes=(), tags=None, image="default", size=None, kind=None):
    """cloud_params of OpenStack clouds. `login` is (user name, password) or ("application", id, secret); `size` and `kind`
    are those of a system volume."""
    if login[0] == "application":
        keys = (f"application_credential_id: {login[1]}", f"application_credential_secret: {login[2]}")
    else:
        keys = (f'user_name: "{login[0]}"', f"password: {login[1]}")
    volume = "" if size is None else f"""
        volume_size: {size}
        volume_type: {kind}"""
    return f"""        cci_version: "1.0"
        flavor_name: {flavor}{volume}
        {keys[0]}
        {keys[1]}
        ip_address_list: {list(addresses)}
        volume_id: {list(volumes)}
        cloud_image: {image}
        tags: {tags or {}}"""


def openstack_disk(login, size, *, kind="project-volume", image="default", tags=None):
    return f"""        cci_version: "1.0"
        size: {size}
        type: {kind}
        user_name: "{login[0]}"
        password: {login[1]}
        cloud_image: {image}
        tags: {tags or {}}"""
