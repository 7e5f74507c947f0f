// SPDX-License-Identifier: Apache-2.0 OR MIT
//! What each caller of agents sets: the variables that were recorded in real calls
//! (`common/tests/contexts`). A test holds both beside each other, and lists what is left out here.

use crate::profile::Profile;

/// What every caller beside Pacemaker leaves to whoever started it.
const CALLER: Profile = Profile {
    name: "",
    meaning: "",
    variables: &[],
    announces_timeout: true,
    directory: "/",
    umask: None,
};

/// The search path that systemd gives to services.
const SERVICE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

pub(super) const PACEMAKER_2: Profile = Profile {
    name: "pacemaker-2.1",
    variables: &[
        ("HA_LOGFACILITY", "daemon"),
        ("HA_cluster_type", "corosync"),
        ("HA_debug", "0"),
        ("HA_logfacility", "daemon"),
        ("HA_mcp", "true"),
        ("HA_quorum_type", "corosync"),
        ("HOME", "/root"),
        ("LC_ALL", "C"),
        ("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:"),
        ("OCF_OUTPUT_FORMAT", "text"),
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RA_VERSION_MINOR", "1"),
        ("OCF_RESKEY_CRM_meta_name", "{action}"),
        ("OCF_RESKEY_CRM_meta_on_node", "{node}"),
        ("OCF_RESKEY_CRM_meta_on_node_uuid", "1"),
        ("OCF_RESKEY_crm_feature_set", "3.16.1"),
        ("OCF_RESOURCE_INSTANCE", "{instance}"),
        ("OCF_RESOURCE_PROVIDER", "{provider}"),
        ("OCF_RESOURCE_TYPE", "{type}"),
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("PCMK_cluster_type", "corosync"),
        ("PCMK_debug", "0"),
        ("PCMK_logfacility", "daemon"),
        ("PCMK_mcp", "true"),
        ("PCMK_quorum_type", "corosync"),
        ("PCMK_service", "pacemaker-execd"),
        ("PCMK_watchdog", "false"),
    ],
    directory: "/var/lib/pacemaker/cores",
    umask: Some(0o026),
    ..CALLER
};

pub(super) const PACEMAKER_3: Profile = Profile {
    name: "pacemaker-3",
    variables: &[
        ("HA_LOGFACILITY", "daemon"),
        ("HA_cluster_type", "corosync"),
        ("HA_debug", "0"),
        ("HA_logfacility", "daemon"),
        ("HOME", "/root"),
        ("LC_ALL", "C"),
        ("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:"),
        ("OCF_OUTPUT_FORMAT", "text"),
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RA_VERSION_MINOR", "1"),
        ("OCF_RESKEY_CRM_meta_name", "{action}"),
        ("OCF_RESKEY_CRM_meta_on_node", "{node}"),
        ("OCF_RESKEY_CRM_meta_on_node_uuid", "1"),
        ("OCF_RESKEY_crm_feature_set", "3.20.0"),
        ("OCF_RESOURCE_INSTANCE", "{instance}"),
        ("OCF_RESOURCE_PROVIDER", "{provider}"),
        ("OCF_RESOURCE_TYPE", "{type}"),
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("PCMK_LOGFACILITY", "daemon"),
        ("PCMK_cluster_type", "corosync"),
        ("PCMK_debug", "0"),
        ("PCMK_logfacility", "daemon"),
        ("PCMK_service", "pacemaker-execd"),
    ],
    directory: "/var/lib/pacemaker/cores",
    umask: Some(0o026),
    ..CALLER
};

pub(super) const CRM_RESOURCE: Profile = Profile {
    name: "crm_resource",
    variables: &[
        ("HA_debug", "0"),
        ("HA_logfacility", "none"),
        ("HOME", "/root"),
        ("LC_ALL", "C"),
        ("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:"),
        ("OCF_OUTPUT_FORMAT", "xml"),
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RA_VERSION_MINOR", "1"),
        ("OCF_RESKEY_CRM_meta_class", "ocf"),
        ("OCF_RESKEY_CRM_meta_id", "{instance}"),
        ("OCF_RESKEY_CRM_meta_provider", "{provider}"),
        ("OCF_RESKEY_CRM_meta_type", "{type}"),
        ("OCF_RESKEY_crm_feature_set", "3.20.0"),
        ("OCF_RESOURCE_INSTANCE", "{instance}"),
        ("OCF_RESOURCE_PROVIDER", "{provider}"),
        ("OCF_RESOURCE_TYPE", "{type}"),
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("OCF_TRACE_FILE", "/dev/stderr"),
        ("PCMK_debug", "0"),
        ("PCMK_logfacility", "none"),
        ("PCMK_service", "crm_resource"),
        ("PWD", "/"),
    ],
    ..CALLER
};

/// crm_resource, too, which pcs runs without a search path and without a resource.
pub(super) const PCS: Profile = Profile {
    name: "pcs",
    variables: &[
        ("HA_debug", "0"),
        ("HA_logfacility", "none"),
        ("LC_ALL", "C"),
        ("OCF_EXIT_REASON_PREFIX", "ocf-exit-reason:"),
        ("OCF_OUTPUT_FORMAT", "xml"),
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RA_VERSION_MINOR", "1"),
        ("OCF_RESKEY_crm_feature_set", "3.20.0"),
        ("OCF_RESOURCE_INSTANCE", "{instance}"),
        ("OCF_RESOURCE_PROVIDER", "{provider}"),
        ("OCF_RESOURCE_TYPE", "{type}"),
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("OCF_TRACE_FILE", "/dev/stderr"),
        ("PCMK_debug", "0"),
        ("PCMK_logfacility", "none"),
        ("PCMK_service", "crm_resource"),
    ],
    ..CALLER
};

pub(super) const CRMSH: Profile = Profile {
    name: "crmsh",
    variables: &[
        ("COLUMNS", "80"),
        ("HOME", "/root"),
        ("LC_ALL", "C"),
        ("LINES", "24"),
        ("OCF_RESOURCE_INSTANCE", "{instance}"),
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("PWD", "/"),
    ],
    ..CALLER
};

pub(super) const DRBD_REACTOR: Profile = Profile {
    name: "drbd-reactor",
    variables: &[
        ("AGENT", "{agent}"),
        ("LANG", "C.UTF-8"),
        ("OCF_RESOURCE_INSTANCE", "{instance}"),
        ("OCF_ROOT", "/usr/lib/ocf"),
        ("PATH", SERVICE_PATH),
        ("monitor_interval", "5"),
        // Its own spelling.
        ("monitor_inverval", "30"),
    ],
    announces_timeout: false,
    ..CALLER
};

pub(super) const HALO: Profile = Profile {
    name: "halo",
    variables: &[("LANG", "C.UTF-8"), ("OCF_ROOT", "/usr/lib/ocf"), ("PATH", SERVICE_PATH)],
    announces_timeout: false,
    ..CALLER
};
