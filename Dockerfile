# Accord in a container: the program, its libraries, nothing else.
#   docker build -t accord .
#   docker run -p 8080:8080 -v accord:/var/lib/accord -e ACCORD_OPERATOR_KEY=accord_live_… accord
FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        gcc libc6-dev meson ninja-build pkg-config python3 python3-yaml \
        libmicrohttpd-dev libjansson-dev libsqlite3-dev libsodium-dev \
        zlib1g-dev libzstd-dev libcsv-dev
WORKDIR /src
COPY . .
RUN meson setup build --buildtype=release -Dtests=false -Dwerror=false \
    && ninja -C build accord \
    && strip build/accord

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libmicrohttpd12 libjansson4 libsqlite3-0 libsodium23 zlib1g libzstd1 libcsv3 tzdata \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/log/alternatives.log \
        /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old \
    && mkdir /var/lib/accord \
    && chown 10001:10001 /var/lib/accord \
    && chmod 700 /var/lib/accord
COPY --from=build /src/build/accord /usr/local/bin/accord
# A number needs no account; the database lies in the volume. A read-only root is enough (with a /tmp).
USER 10001:10001
ENV ACCORD_LISTEN=0.0.0.0:8080 \
    ACCORD_DATABASE=sqlite:/var/lib/accord/accord.db
VOLUME /var/lib/accord
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["accord", "health"]
ENTRYPOINT ["accord"]
CMD ["serve"]
