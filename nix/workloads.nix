# What runs on a host and uses its storage: the folder that its data is in by the workload's name, `null`
# where the configuration does not say. Takes a host's `config`.
#
# Names of options are those of NixOS. A module may have removed an option that is asked for here, and
# then throws where it is read; that is no reason to stop.
config:
let
  inherit (builtins)
    attrNames
    attrValues
    filter
    head
    isList
    isString
    listToAttrs
    match
    tryEval
    ;

  services = config.services or { };
  programs = config.programs or { };
  virtualisation = config.virtualisation or { };

  attempt =
    otherwise: value:
    let
      tried = tryEval value;
    in
    if tried.success then tried.value else otherwise;

  on = service: attempt false (service.enable or false);

  # The first of several folders, as text, if it is one at all.
  folder =
    value:
    let
      first = attempt null (
        if isList value then (if value == [ ] then null else folder (head value)) else value
      );
      text = if first == null || isString first then first else toString first;
    in
    if text == null || match "/.*" text == null then null else builtins.unsafeDiscardStringContext text;

  below = name: if name == null then null else "/var/lib/${name}";

  redis =
    let
      servers = services.redis.servers or { };
    in
    map (
      name: servers.${name}.settings.dir or "/var/lib/redis${if name == "" then "" else "-${name}"}"
    ) (filter (name: on servers.${name}) (attrNames servers));

  shares = map (share: share.path or null) (attrValues (services.samba.settings or { }));

  # The first exported folder: lines are `/folder client(options) …`.
  exports = map head (
    filter (it: it != null) (
      map (line: match "[[:space:]]*(/[^[:space:]]*).*" line) (
        filter isString (builtins.split "\n" (attempt "" (services.nfs.server.exports or "")))
      )
    )
  );

  databases = services.litestream.settings.dbs or [ ];

  known = {
    desktop = {
      enable =
        on (services.xserver or { })
        || on (services.displayManager or { })
        || on (services.desktopManager.gnome or { })
        || on (services.desktopManager.plasma6 or { })
        || on (programs.hyprland or { })
        || on (programs.sway or { });
      data = "/home";
    };
    litestream = {
      enable = on (services.litestream or { });
      data = if databases == [ ] then null else dirOf (head databases).path;
    };
    nfs = {
      enable = on (services.nfs.server or { });
      data = exports;
    };
    prometheus = {
      enable = on (services.prometheus or { });
      data = below (services.prometheus.stateDir or null);
    };
    redis = {
      enable = redis != [ ];
      data = redis;
    };
    samba = {
      enable = on (services.samba or { });
      data = filter (path: folder path != null) shares;
    };
    victoriametrics = {
      enable = on (services.victoriametrics or { });
      data = below (services.victoriametrics.stateDir or null);
    };
  }
  //
    builtins.mapAttrs
      (name: data: {
        enable = on (services.${name} or { });
        inherit data;
      })
      {
        # Their modules either name the folder or have a fixed one.
        clickhouse = "/var/lib/clickhouse";
        couchdb = services.couchdb.databaseDir or null;
        elasticsearch = services.elasticsearch.dataDir or null;
        etcd = services.etcd.dataDir or null;
        forgejo = services.forgejo.stateDir or null;
        gitea = services.gitea.stateDir or null;
        gitlab = services.gitlab.statePath or null;
        immich = services.immich.mediaLocation or null;
        influxdb = services.influxdb.dataDir or null;
        influxdb2 = "/var/lib/influxdb2";
        jellyfin = services.jellyfin.dataDir or null;
        k3s = "/var/lib/rancher/k3s";
        loki = services.loki.dataDir or null;
        minio = services.minio.dataDir or null;
        mongodb = services.mongodb.dbpath or null;
        mysql = services.mysql.dataDir or null;
        nextcloud = services.nextcloud.datadir or null;
        opensearch = services.opensearch.dataDir or null;
        postgresql = services.postgresql.dataDir or null;
        rabbitmq = services.rabbitmq.dataDir or null;
        syncthing = services.syncthing.dataDir or null;
      }
  // {
    containerd = {
      enable = on (virtualisation.containerd or { });
      data = "/var/lib/containerd";
    };
    docker = {
      enable = on (virtualisation.docker or { });
      data = virtualisation.docker.daemon.settings.data-root or "/var/lib/docker";
    };
    incus = {
      enable = on (virtualisation.incus or { });
      data = "/var/lib/incus";
    };
    libvirt = {
      enable = on (virtualisation.libvirtd or { });
      data = "/var/lib/libvirt";
    };
    podman = {
      enable = on (virtualisation.podman or { });
      data = "/var/lib/containers";
    };
  };
in
listToAttrs (
  map (name: {
    inherit name;
    value = folder known.${name}.data;
  }) (filter (name: known.${name}.enable) (attrNames known))
)
