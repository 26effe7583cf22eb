//! How a node is set up: one file, every field explained, environment over file.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use spean_vocabulary::{NodeId, Service};

use crate::load::Limits;

/// The settings of a node, from a TOML file and from the environment: `SPEAN_LISTEN` sets `listen`,
/// `SPEAN_BROKER__URL` sets `url` of `[broker]`. Unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Configuration {
    /// Which node of the directory this is.
    pub node: NodeId,
    /// Which services run in this process; all when left out.
    #[serde(default = "every_service")]
    pub services: Vec<Service>,
    /// Where staff and their programs connect.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// Certificate and key in PEM. Without them the node listens on the loopback interface only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Folder for databases and for what must outlive them.
    pub data: PathBuf,
    /// Folder with the node's keys. Keep it out of the backup of `data`.
    pub keys: PathBuf,
    /// The signed directory of the network.
    pub directory: PathBuf,
    /// Public key of the network's root: whoever holds the other half signs directories.
    pub root: String,
    /// Where the logs are kept; `SQLite` files in `data` when left out, else `postgres://…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The broker.
    pub broker: BrokerSettings,
    /// Where traces and metrics go; nowhere when left out, which costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub telemetry: Option<Telemetry>,
    /// The agency's policy: deadlines, rhythms and ages (`deploy/policy.toml` shows all of it). Relative to the folder
    /// in which the node is started. The standard when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PathBuf>,
    /// How much it takes on at once; what is more is refused.
    #[serde(default, skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
    /// A file with a number of microseconds by which the clock is moved. Only for demonstrations and tests: it makes
    /// the node refuse to listen anywhere but on the loopback interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_file: Option<PathBuf>,
}

/// The fields of [`Configuration`].
const SETTINGS: [&str; 14] = [
    "node",
    "services",
    "listen",
    "tls",
    "data",
    "keys",
    "directory",
    "root",
    "database",
    "broker",
    "telemetry",
    "policy",
    "limits",
    "clock_offset_file",
];

/// Certificate and key of the node's own gRPC server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain in PEM.
    pub certificate: PathBuf,
    /// Private key in PEM.
    pub key: PathBuf,
}

/// How to reach the broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerSettings {
    /// `nats://host:port` or `tls://host:port`.
    pub url: String,
    /// `hub` when `url` is the node's own server, a leaf of the hub; left out when it is the hub itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The authority that signed the broker's certificate, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<PathBuf>,
    /// Monitoring page of the server that keeps the mailboxes, such as `http://127.0.0.1:8222`. The node reads there
    /// that an acknowledged letter is on the disk (`sync_always`) and refuses to start otherwise. When left out, the
    /// node starts only on the loopback interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<String>,
    /// Largest size of the node's mailbox, in bytes.
    #[serde(default = "default_mailbox_bytes")]
    pub mailbox_bytes: u64,
}

/// Where traces and metrics go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// An OTLP collector, such as `http://127.0.0.1:4317`.
    pub endpoint: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file or the environment does not say what is needed.
    #[error("{0}")]
    Malformed(#[from] config::ConfigError),
    /// It would not be safe.
    #[error("{field}: {reason}")]
    Unsafe {
        /// The setting.
        field: &'static str,
        /// Why not.
        reason: &'static str,
    },
}

/// All services, as a node runs them when its settings do not name any.
pub fn every_service() -> Vec<Service> {
    use Service::{Cases, Directory, Followup, Insight, Referral, Repatriation, Shelter};
    vec![Cases, Directory, Followup, Insight, Referral, Repatriation, Shelter]
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 50_051))
}

const fn default_mailbox_bytes() -> u64 {
    256 * 1024 * 1024
}

/// The settings among the variables of the environment. Others may begin with `SPEAN_` as well, such as the folder in
/// which a fetched broker is kept.
fn own_variables(variables: impl Iterator<Item = (String, String)>) -> HashMap<String, String> {
    let is_setting = |name: &str| {
        let setting = name.strip_prefix("SPEAN_").map(|name| name.split("__").next().unwrap_or(name).to_lowercase());
        setting.is_some_and(|setting| SETTINGS.contains(&setting.as_str()))
    };
    variables.filter(|(name, _)| is_setting(name)).collect()
}

impl Configuration {
    /// Reads a file and lets the environment override it.
    pub fn read(file: &Path) -> Result<Self, ConfigurationError> {
        let settings = config::Config::builder()
            .add_source(config::File::from(file).format(config::FileFormat::Toml))
            .add_source(
                config::Environment::with_prefix("SPEAN")
                    .prefix_separator("_")
                    .separator("__")
                    .source(Some(own_variables(std::env::vars()))),
            )
            .build()?;
        let configuration: Self = settings.try_deserialize()?;
        configuration.check()?;
        Ok(configuration)
    }

    /// Refuses what would not be safe.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        let refuse = |field, reason| Err(ConfigurationError::Unsafe { field, reason });
        let Limits { requests, large_requests, requests_on_a_connection, connections } = self.limits;
        if [requests, large_requests, requests_on_a_connection, connections].contains(&0) {
            return refuse("limits", "must be 1 or more, or nobody could do anything");
        }
        if self.listen.ip().is_loopback() {
            return Ok(());
        }
        if self.tls.is_none() {
            return refuse("tls", "is needed wherever others than this machine can connect");
        }
        if self.clock_offset_file.is_some() {
            return refuse("clock_offset_file", "is for demonstrations on the loopback interface only");
        }
        if self.broker.monitor.is_none() {
            return refuse("broker.monitor", "is needed to see that the broker keeps what it acknowledges");
        }
        Ok(())
    }

    /// Whether others than this machine can connect.
    pub fn is_production(&self) -> bool {
        !self.listen.ip().is_loopback()
    }

    /// The file that says how far the log of one service had got. It stands beside the keys, where no backup takes it.
    pub fn mark_of(&self, service: &str) -> PathBuf {
        self.keys.join(format!("{service}.mark"))
    }

    /// The database of one service.
    pub fn database_of(&self, service: &str) -> String {
        match &self.database {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", self.data.join(format!("{service}.sqlite")).display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = r#"
        node = "poipet"
        data = "/var/lib/spean"
        keys = "/etc/spean/keys"
        directory = "/etc/spean/directory.json"
        root = "key"
        [broker]
        url = "nats://127.0.0.1:4222"
    "#;

    fn parse(text: &str) -> Result<Configuration, ConfigurationError> {
        let settings =
            config::Config::builder().add_source(config::File::from_str(text, config::FileFormat::Toml)).build()?;
        let configuration: Configuration = settings.try_deserialize()?;
        configuration.check().map(|()| configuration)
    }

    #[test]
    fn the_smallest_file_gives_a_node_for_one_machine() {
        let configuration = parse(SMALLEST).expect("enough for a laptop");
        assert_eq!(configuration.services.len(), 7);
        assert_eq!(configuration.database_of("cases"), "sqlite:///var/lib/spean/cases.sqlite");
    }

    #[test]
    fn a_node_for_others_needs_tls_and_a_broker_that_keeps_its_word() {
        let open = format!("listen = \"0.0.0.0:50051\"\n{SMALLEST}");
        assert!(parse(&open).expect_err("no TLS").to_string().starts_with("tls:"));
        let with_tls = open.replace("[broker]", "tls = { certificate = \"c\", key = \"k\" }\n[broker]");
        assert!(parse(&with_tls).expect_err("no monitor").to_string().starts_with("broker.monitor:"));
        assert!(parse(&format!("{with_tls}\nmonitor = \"http://127.0.0.1:8222\"")).is_ok());
    }

    #[test]
    fn only_settings_are_taken_from_the_environment() {
        let variable = |name: &str| (name.to_owned(), "value".to_owned());
        let variables = ["SPEAN_LISTEN", "SPEAN_BROKER__URL", "SPEAN_CACHE", "PATH"].map(variable);
        let mut own: Vec<_> = own_variables(variables.into_iter()).into_keys().collect();
        own.sort();
        assert_eq!(own, ["SPEAN_BROKER__URL", "SPEAN_LISTEN"]);
        let field = |setting: &str| format!("{setting} = 1\n");
        let all: toml::Table = toml::from_str(&SETTINGS.map(field).concat()).expect("a table");
        let error = all.try_into::<Configuration>().expect_err("numbers everywhere").to_string();
        assert!(!error.contains("unknown field"), "{error}");
    }

    #[test]
    fn limits_are_set_one_by_one_and_none_is_zero() {
        let configuration = parse(&format!("{SMALLEST}\n[limits]\nrequests = 32")).expect("the others as they are");
        assert_eq!(configuration.limits, Limits { requests: 32, ..Limits::default() });
        let none = parse(&format!("{SMALLEST}\n[limits]\nconnections = 0"));
        assert!(none.expect_err("nobody could connect").to_string().starts_with("limits:"));
        assert!(!toml::to_string(&parse(SMALLEST).unwrap()).unwrap().contains("limits"), "older programs read it");
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        assert!(parse(&format!("lisen = \"127.0.0.1:1\"\n{SMALLEST}")).is_err());
    }
}
