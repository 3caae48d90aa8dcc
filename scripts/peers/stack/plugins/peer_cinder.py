# SPDX-License-Identifier: Apache-2.0
"""Volumes that are known to Cinder and to nothing else."""

from cinder.volume import driver


class Paper(driver.VolumeDriver):
    """An image is in a volume as soon as somebody asks for it, so that machines boot from volumes too."""

    VERSION = "1"

    def nothing(self, *_, **__):
        """Most of what is asked of a driver concerns devices."""

    do_setup = check_for_setup_error = create_volume = delete_volume = extend_volume = nothing
    create_export = ensure_export = remove_export = terminate_connection = nothing

    def clone_image(self, *_):
        return {}, True

    def initialize_connection(self, volume, connector):
        return {"driver_volume_type": "fake", "data": {"volume_id": volume.id}}

    def get_volume_stats(self, refresh=False):
        return {"volume_backend_name": "paper", "vendor_name": "test", "driver_version": self.VERSION,
                "storage_protocol": "fake", "total_capacity_gb": 100000, "free_capacity_gb": 100000,
                "reserved_percentage": 0}
