//! The connection to a node, and what every request carries.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use clap::Args;
use spean_contracts::cases::v1::cases_service_client::CasesServiceClient;
use spean_contracts::referral::v1::referral_service_client::ReferralServiceClient;
use spean_contracts::vocabulary::v1::{PageRequest, PageResponse};
use spean_vocabulary::{CommandId, OfficeId};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::broker::is_on_this_machine;
use crate::files;

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Rows asked for at a time.
const PAGE_SIZE: i32 = 200;

/// How to reach a node, and as whom.
#[derive(Debug, Args)]
pub(super) struct ConnectionArguments {
    /// Where the node listens.
    #[arg(long, global = true, value_name = "HOST:PORT", default_value = "127.0.0.1:50051")]
    address: String,
    /// The authority that signed the node's certificate, in PEM; needed unless the node is on this machine.
    #[arg(long, global = true, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// A staff token (`spean admin token issue`). Others on this machine can see it here: better use --token-file.
    #[arg(long, global = true, conflicts_with = "token_file")]
    token: Option<String>,
    /// A file with a staff token.
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The office to act for; may be left out by staff of one office.
    #[arg(long, global = true)]
    office: Option<OfficeId>,
}

/// A connection to a node.
pub(super) struct Connection {
    channel: Channel,
    token: MetadataValue<Ascii>,
    pub(super) office: Option<OfficeId>,
}

impl ConnectionArguments {
    pub(super) async fn open(&self) -> anyhow::Result<Connection> {
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => files::read(file)?,
            (None, None) => return Err(anyhow!("a staff token is needed: --token-file, or --token")),
        };
        let token = format!("Bearer {}", token.trim()).parse().context("the token is malformed")?;
        let channel = self.endpoint()?.connect().await;
        let channel = channel.with_context(|| format!("no node answers at {}", self.address))?;
        Ok(Connection { channel, token, office: self.office.clone() })
    }

    fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let host = self.address.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
        let Some(authority) = &self.authority else {
            ensure!(
                is_on_this_machine(host),
                "{host} is another machine: say with --authority who signed its certificate"
            );
            return Ok(Endpoint::from_shared(format!("http://{host}"))?.timeout(PATIENCE));
        };
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(files::read(authority)?));
        Ok(Endpoint::from_shared(format!("https://{host}"))?.timeout(PATIENCE).tls_config(tls)?)
    }
}

impl Connection {
    pub(super) fn cases(&self) -> CasesServiceClient<Channel> {
        CasesServiceClient::new(self.channel.clone())
    }

    pub(super) fn referral(&self) -> ReferralServiceClient<Channel> {
        ReferralServiceClient::new(self.channel.clone())
    }

    /// A request that changes nothing.
    pub(super) fn question<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.token.clone());
        if let Some(office) = &self.office {
            metadata.insert("spean-office", office.as_str().parse().expect("a code is ASCII"));
        }
        request
    }

    /// A request that changes something, with an id of its own.
    pub(super) fn command<T>(&self, message: T) -> Request<T> {
        let mut request = self.question(message);
        let id: CommandId = spean_chassis::mint();
        request.metadata_mut().insert("spean-command-id", id.to_string().parse().expect("a UUID is ASCII"));
        request
    }
}

/// All rows of a list, page by page.
pub(super) async fn all_pages<T>(
    mut fetch: impl AsyncFnMut(Option<PageRequest>) -> Result<(Vec<T>, Option<PageResponse>), Status>,
) -> anyhow::Result<Vec<T>> {
    let mut rows = Vec::new();
    let mut token = String::new();
    loop {
        let (page, next) =
            fetch(Some(PageRequest { size: PAGE_SIZE, token })).await.map_err(|status| refusal(&status))?;
        rows.extend(page);
        token = next.unwrap_or_default().next_token;
        if token.is_empty() {
            return Ok(rows);
        }
    }
}

/// A refusal in words: the node's message, and its reason for programs.
pub(super) fn refusal(status: &Status) -> anyhow::Error {
    match (status.get_details_error_info(), status.code()) {
        (Some(info), _) => anyhow!("{} ({})", status.message(), info.reason),
        (None, Code::Unimplemented) => anyhow!("the node does not run this service"),
        (None, code) => anyhow!("{} ({code:?})", status.message()),
    }
}
