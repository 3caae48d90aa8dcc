// SPDX-License-Identifier: Apache-2.0
#include "fake_openstack.h"

VCP_FAKE_CLOUD(fake_openstack::FakeOpenStack);
