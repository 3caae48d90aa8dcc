// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// CCI texts in the form that the published SDK writes (spec/sdk-cci 7 and 8).
namespace vcc::test {

inline constexpr std::string_view kVcText = R"(
- vc:
    cci_version: "25.10.0+20251001"
    type: compute
    description: "my-group"
    name: my-group
)";

inline constexpr std::string_view kAwsText = R"(
- unit:
    cci_version: "1.1"
    name: web
    description: ""
    private_network: default
    num_nodes: 2
    image: vcp/base:1.8.1-alpine3.13-x86_64
    recovery_mode: none
    docker_opt: {}
    params:
        v:
        - /sys/fs/cgroup:/sys/fs/cgroup:ro
        - /var/lib/docker
        e:
        - AUTHORIZED_KEYS=c3NoLXJzYSBBQUFBRVhBTVBMRSB1c2VyQGV4YW1wbGUK
        - MY_ROLE=web server, "a" 'b' = $HOME
    cloud_provider: aws
    cloud_params:
        cci_version: "1.2"
        instance_type: m5.large
        volume_size: 16
        volume_type: gp2
        cloud_image: default
        ip_address_list: ['172.30.2.101', '172.30.2.102']
        access_key: vault://cubbyhole/aws/access_key
        volume_id: []
        secret_key: plainsecretvalue
        tags: {'project': 'demo', 'n': None}
)";

inline constexpr std::string_view kOnpremisesText = R"(
- unit:
    cci_version: "1.1"
    name: onp
    description: ""
    private_network: default
    num_nodes: 1
    image: vcp/base:1.8.1-alpine3.13-x86_64
    recovery_mode: none
    docker_opt: {'dns': ['8.8.8.8'], 'gpus': 'all'}
    params:
        v:
        e: []
    cloud_provider: onpremises
    cloud_params:
        cci_version: "1.0"
        user_name: ubuntu
        ip_address_list: ['192.168.10.11', '192.168.10.12']
        network_if: None
)";

inline constexpr std::string_view kStorageText = R"(
- unit:
    cci_version: "1.0"
    name: ebs
    description: ""
    private_network: default
    num_disks: 3
    cloud_provider: aws
    cloud_params:
        size: 8
        type: standard
        tags: {}
)";

/// `text` with the first `from` replaced by `to`; the caller knows that it is there.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  return result.replace(result.find(from), from.size(), to);
}

}  // namespace vcc::test
