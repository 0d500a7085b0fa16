"""Who answers beside Accord: the bare ceiling, nginx, and what somebody would build instead."""

import contextlib
import http.client
import os
import shutil
import subprocess
import time

import host

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    open_file_cache max=10;
    server_tokens off;
    etag off;
    types {{ }}
    default_type {kind};
    server {{
        listen 127.0.0.1:{port};
        root {folder}/root;
{headers}
    }}
}}
"""


def wait_for(port, process):
    for _ in range(1000):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args}: ended with {process.returncode}")
        with contextlib.suppress(OSError):
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
            return
        time.sleep(0.01)
    raise RuntimeError(f"{process.args}: does not listen")


@contextlib.contextmanager
def running(command, port, env=None):
    process = subprocess.Popen(host.serving(*command), env=os.environ | (env or {}))
    try:
        wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def own_headers(headers):
    """Of an answer, those that a server does not send by itself."""
    return [(name, value) for name, value in headers.items()
            if name.lower() not in ("date", "connection", "content-length", "transfer-encoding")]


def answer(status, headers, body):
    """The bare ceiling with an answer of the same bytes."""
    port = host.free_port()
    file = host.WORK / "answer.body"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    return running([host.CEILINGS / "bench-answer", port, status, file,
                    *(f"{name}: {value}" for name, value in own_headers(headers))], port)


def nginx(headers, body):
    """A file of the same bytes under /."""
    port = host.free_port()
    folder = host.WORK / "nginx"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "root").mkdir(parents=True)
    (folder / "root" / "index.html").write_bytes(body)
    (folder / "root" / "report").write_bytes(body)
    more = "\n".join(f"        add_header {name} '{value}';" for name, value in own_headers(headers)
                     if name.lower() != "content-type")
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, kind=headers["Content-Type"], headers=more))
    os.chmod(folder, 0o755)
    return running(["nginx", "-e", folder / "error.log", "-p", folder, "-c", config], port)


def fastify(database, key, mode):
    """The peer on a copy of prepared books; mode: each (a transaction per request) or group."""
    port = host.free_port()
    return running(["node", host.PEERS / "server.mjs", port, database, mode, database.with_suffix(".log")], port,
                   {"PEER_KEY": key, "NODE_ENV": "production"})


def peer_installed(package):
    """Whether Node runs it; what is compiled for another Node is not there."""
    done = subprocess.run(["node", "--input-type=module", "-e",
                           f"import * as peer from '{package}'; if (peer.default?.prototype?.pragma) "
                           "new peer.default(':memory:')"], cwd=host.PEERS, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def peers_installed():
    return peer_installed("fastify") and peer_installed("better-sqlite3")
