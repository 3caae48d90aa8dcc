# SPDX-License-Identifier: Apache-2.0
"""In which order the services of a peer are prepared and started: each project by itself, as soon as what it needs is there."""

import concurrent.futures
import datetime
import json
import pathlib
import shutil
import subprocess
import threading

import cloud
import settings
from folder import HOST
from processes import Failed, Nursery, wait_until

# Those that others need, in the order of their end; everything else ends before them.
LAST = ("rabbitmq", "epmd", "mysql")


class Stack:
    """One peer coming up. `say` takes lines of progress."""

    def __init__(self, folder, processes, say):
        self.folder, self.processes, self.say = folder, processes, say
        self.first = not folder.seeded.exists()
        self.ready = {name: threading.Event() for name in ("mysql", "rabbitmq", "identity", "placement")}
        self.failed = threading.Event()
        self.facts = {}

    def up(self):
        if self.first:
            self.clear_away_half_a_cloud()
        settings.write_all(self.folder)
        self.register_plugins()
        for name in ("home", "locks", "images", "staging", "tasks", "nova/instances", "neutron", "cinder", "rabbitmq"):
            self.folder.data(name).mkdir(parents=True, exist_ok=True)
        since = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        jobs = (self.mysql, self.rabbitmq, self.keystone, self.neutron, self.nova, self.placement, self.glance, self.cinder)
        with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
            futures = {pool.submit(self.guarded, job): job.__name__ for job in jobs}
            done, _ = concurrent.futures.wait(futures)
        errors = [str(one.exception()) for one in done if one.exception() and not isinstance(one.exception(), Stopped)]
        if errors:
            raise Failed("\n".join(errors))
        wait_until(lambda: cloud.services_up(self.folder, since), "the agents of Nova and Cinder report")
        if self.first:
            self.folder.seeded.touch(mode=0o600)
            self.folder.seeded.write_text(json.dumps(self.facts), encoding="utf-8")

    def clear_away_half_a_cloud(self):
        """What a first start that failed has left."""
        shutil.rmtree(self.folder.path / "data")
        (self.folder.path / "data").mkdir()

    def guarded(self, job):
        try:
            job()
            self.say(f"{job.__name__} is up")
        except BaseException:
            self.failed.set()
            raise

    def wait_for(self, name):
        while not self.ready[name].wait(0.2):
            if self.failed.is_set():
                raise Stopped

    def register_plugins(self):
        """Neutron finds its drivers among the entry points of installed distributions."""
        about = self.folder.data("python/vcc_peer-1.dist-info")
        about.mkdir(parents=True, exist_ok=True)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: vcc-peer\nVersion: 1\n", encoding="utf-8")
        (about / "entry_points.txt").write_text(
            "[neutron.ml2.mechanism_drivers]\npeer_no_agent = peer_neutron:NoAgent\n", encoding="utf-8")

    # What the projects stand on

    def mysql(self):
        data, socket = self.folder.data("mysql"), self.folder.run("mysql.sock")
        if not (data / "mysql").exists():
            made = subprocess.run(["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={data}", "--skip-test-db",
                                   "--auth-root-authentication-method=normal", "--skip-name-resolve"],
                                  capture_output=True, text=True, check=False, env=self.processes.environment())
            if made.returncode != 0:
                raise Failed(f"mariadb-install-db: {made.stdout[-1000:]}{made.stderr[-1000:]}")
        # Nobody minds when the data of a test do not survive a power cut.
        self.processes.start("mysql", ["/usr/sbin/mariadbd", "--no-defaults", "--user=root", f"--datadir={data}",
                                       f"--socket={socket}", f"--pid-file={self.folder.run('mysqld.pid')}", "--skip-networking",
                                       "--max-connections=400", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin",
                                       "--innodb-doublewrite=0", "--innodb-buffer-pool-size=256M", "--innodb-flush-method=nosync",
                                       "--character-set-server=utf8mb3", "--collation-server=utf8mb3_general_ci"])
        wait_until(lambda: self.sql("SELECT 1"), f"mariadb answers; see {self.folder.log('mysql')}")
        if self.first:
            self.sql("".join(f"CREATE DATABASE IF NOT EXISTS {name};" for name in settings.DATABASES))
        self.ready["mysql"].set()

    def sql(self, text):
        if "mysql" not in self.processes.known():
            raise Failed(f"mariadb ended; it said last:\n{self.processes.last_words('mysql')}")
        command = ["mariadb", "--no-defaults", "-S", str(self.folder.run("mysql.sock")), "-u", "root", "-N", "-e", text]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0

    def rabbitmq(self):
        ports, conf = self.folder.ports, self.folder.conf
        epmd = {"ERL_EPMD_PORT": str(ports["epmd"]), "ERL_EPMD_ADDRESS": HOST}
        # By ourselves: RabbitMQ's own would go into the background, where nobody knows its id.
        self.processes.start("epmd", ["epmd", "-port", ports["epmd"], "-address", HOST], epmd)
        self.processes.wait_for_port("epmd", "epmd")
        self.processes.start("rabbitmq", ["/usr/lib/rabbitmq/bin/rabbitmq-server"], {
            **epmd, "HOME": str(self.folder.data("rabbitmq")), "RABBITMQ_NODENAME": "vcc-peer@localhost",
            "RABBITMQ_CONFIG_FILE": str(conf("rabbitmq.conf")),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(conf("rabbitmq-advanced.config")),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(conf("rabbitmq-plugins")),
            "RABBITMQ_MNESIA_BASE": str(self.folder.data("rabbitmq/mnesia")), "RABBITMQ_LOG_BASE": str(self.folder.path / "log"),
            "RABBITMQ_PID_FILE": str(self.folder.run("rabbitmq.pid")), "RABBITMQ_DIST_PORT": str(ports["erlang"])})
        self.processes.wait_for_port("rabbitmq", "rabbit")
        self.ready["rabbitmq"].set()

    # The projects

    def keystone(self):
        nursery = Nursery(self.processes, "keystone")
        conf, url = ("--config-file", self.folder.conf("keystone/keystone.conf")), self.folder.url("keystone", "/v3/")
        manage = ("keystone.cmd.manage:main", "keystone-manage", *conf)
        keys = self.folder.data("keystone-keys")
        self.wait_for("mysql")
        if self.first:
            for part in ("tokens", "credentials"):
                (keys / part).mkdir(parents=True, mode=0o700, exist_ok=True)
            nursery.run(*manage, "db_sync")
            owner = ("--keystone-user", "root", "--keystone-group", "root")
            nursery.run(*manage, "fernet_setup", *owner)
            nursery.run(*manage, "credential_setup", *owner)
            nursery.run(*manage, "bootstrap", "--bootstrap-password", self.folder.passwords["admin"],
                        "--bootstrap-region-id", settings.REGION, "--bootstrap-admin-url", url, "--bootstrap-internal-url", url,
                        "--bootstrap-public-url", url)
        for name, port in (("keystone", "keystone"), ("brief", "brief")):
            self.serve(nursery, name, "keystone", port, {"OS_KEYSTONE_CONFIG_DIR": str(self.folder.conf(name))})
        nursery.close()
        self.processes.wait_for_port("keystone", "keystone")
        if self.first:
            cloud.make_identity(self.folder)
            self.facts.update(cloud.make_tenant(self.folder))
        self.ready["identity"].set()
        self.processes.wait_for_port("brief", "brief")

    def serve(self, nursery, name, project, port, environment):
        nursery.start(name, "wsgi:serve", name, project, HOST, self.folder.ports[port], environment=environment)

    def placement(self):
        nursery = Nursery(self.processes, "placement")
        self.wait_for("mysql")
        if self.first:
            nursery.run("placement.cmd.manage:main", "placement-manage", "--config-file",
                        self.folder.conf("placement/placement.conf"), "db", "sync")
        self.serve(nursery, "placement", "placement", "placement",
                   {"OS_PLACEMENT_CONFIG_DIR": str(self.folder.conf("placement"))})
        nursery.close()
        self.processes.wait_for_port("placement", "placement")
        self.ready["placement"].set()

    def glance(self):
        nursery = Nursery(self.processes, "glance")
        conf = ("--config-file", self.folder.conf("glance.conf"))
        self.wait_for("mysql")
        if self.first:
            nursery.run("glance.cmd.manage:main", "glance-manage", *conf, "db_sync")
        nursery.start("glance", "glance.cmd.api:main", "glance-api", *conf)
        nursery.close()
        self.processes.wait_for_port("glance", "glance")
        self.wait_for("identity")
        if self.first:
            self.facts.update(cloud.make_image(self.folder))

    def neutron(self):
        nursery = Nursery(self.processes, "neutron")
        conf = ("--config-file", self.folder.conf("neutron.conf"), "--config-file", self.folder.conf("neutron-ml2.ini"))
        self.wait_for("mysql")
        if self.first:
            nursery.run("neutron.db.migration.cli:main", "neutron-db-manage", *conf, "upgrade", "heads")
        self.wait_for("rabbitmq")
        nursery.start("neutron", "neutron.cmd.eventlet.server:main", "neutron-server", *conf)
        nursery.close()
        self.processes.wait_for_port("neutron", "neutron")
        self.wait_for("identity")
        # Asked for ports before anything else, Neutron fails, for ever.
        cloud.Cloud(self.folder)("neutron", "GET", "/v2.0/networks")
        if self.first:
            self.facts.update(cloud.make_network(self.folder))

    def nova(self):
        nursery = Nursery(self.processes, "nova")
        conf = ("--config-file", self.folder.conf("nova.conf"))
        manage = ("nova.cmd.manage:main", "nova-manage", *conf)
        self.wait_for("mysql")
        if self.first:
            nursery.run(*manage, "api_db", "sync")
            nursery.run(*manage, "cell_v2", "map_cell0", "--database_connection", settings.database(self.folder, "nova_cell0"))
            nursery.run(*manage, "cell_v2", "create_cell", "--name", "cell1", "--database_connection",
                        settings.database(self.folder, "nova"), "--transport-url", settings.messages(self.folder))
            nursery.run(*manage, "db", "sync")
        self.wait_for("rabbitmq")
        for name in ("conductor", "scheduler", "api"):
            nursery.start(f"nova-{name}", f"nova.cmd.{name}:main", f"nova-{name}", *conf)
        self.wait_for("identity")
        self.wait_for("placement")
        nursery.start("nova-compute", "nova.cmd.compute:main", "nova-compute", *conf)
        nursery.start("nova-compute-abort", "nova.cmd.compute:main", "nova-compute", *conf, "--config-file",
                      self.folder.conf("nova-abort.conf"))
        self.processes.wait_for_port("nova-api", "nova")
        if self.first:
            cloud.make_flavors(self.folder)
        wait_until(lambda: cloud.hosts_known(self.folder), "both of Nova's hosts are known to Placement")
        if self.first:
            nursery.run(*manage, "cell_v2", "discover_hosts")
        nursery.close()

    def cinder(self):
        nursery = Nursery(self.processes, "cinder")
        conf = ("--config-file", self.folder.conf("cinder.conf"))
        self.wait_for("mysql")
        if self.first:
            nursery.run("cinder.cmd.manage:main", "cinder-manage", *conf, "db", "sync")
        self.wait_for("rabbitmq")
        for name in ("scheduler", "volume", "api"):
            nursery.start(f"cinder-{name}", f"cinder.cmd.{name}:main", f"cinder-{name}", *conf)
        nursery.close()
        self.processes.wait_for_port("cinder-api", "cinder")
        self.wait_for("identity")
        if self.first:
            cloud.make_volume_types(self.folder)


class Stopped(Exception):
    """Another part has failed; that one's error is the one to show."""


def openrc(folder, user=cloud.USER, project=cloud.PROJECT):
    password = folder.passwords["admin" if user == "admin" else "user"]
    values = {"OS_AUTH_URL": folder.url("keystone", "/v3"), "OS_USERNAME": user, "OS_PASSWORD": password,
              "OS_PROJECT_NAME": project, "OS_USER_DOMAIN_NAME": "Default", "OS_PROJECT_DOMAIN_NAME": "Default",
              "OS_IDENTITY_API_VERSION": "3", "OS_REGION_NAME": settings.REGION, "OS_INTERFACE": "public",
              "OS_COMPUTE_API_VERSION": "2.90"}
    return "".join(f"export {key}={value}\n" for key, value in values.items())


def write_openrc(folder):
    for name, user, project in (("openrc", cloud.USER, cloud.PROJECT), ("openrc-admin", "admin", "admin")):
        path = pathlib.Path(folder.path, name)
        path.touch(mode=0o600)
        path.write_text(openrc(folder, user, project), encoding="utf-8")
