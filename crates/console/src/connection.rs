//! The connection to a node, and what every request carries.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgMatches, Command};
use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _};
use prost_reflect::{DynamicMessage, FieldDescriptor, MethodDescriptor, Value};
use spean_vocabulary::Date;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::failure::Failure;
use crate::language::Words;
use crate::schema;
use crate::value::{instant_of, messages_at, text_at};

/// How often a node that has too much to do is asked again.
const ASKED_AGAIN: usize = 4;
/// When, if it does not say; never later than ten times that.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a node may take to answer. Lists of arrivals are imported in one request.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long the way to it may take.
const KNOCKING: Duration = Duration::from_secs(10);
/// Rows asked for at a time.
const PAGE: i32 = 200;
/// The largest answer, in bytes: a file of a person, or a list of 5,000 verdicts.
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;

/// The options that say which node is asked, and as whom.
pub(crate) fn options(command: Command, words: &Words) -> Command {
    let heading = words.say("help-connection");
    let option = |name: &'static str, variable: &'static str| {
        Arg::new(name)
            .long(name)
            .env(variable)
            .hide_env_values(true)
            .help(words.say(&format!("help-{name}")))
            .help_heading(heading.clone())
    };
    command
        .arg(option("node", "SPEAN_ADDRESS").value_name("HOST:PORT").default_value("127.0.0.1:50051"))
        .arg(option("authority", "SPEAN_AUTHORITY").value_name("FILE").value_parser(clap::value_parser!(PathBuf)))
        .arg(option("token-file", "SPEAN_TOKEN_FILE").value_name("FILE").value_parser(clap::value_parser!(PathBuf)))
        .arg(option("office", "SPEAN_OFFICE").value_name("OFFICE"))
}

/// A connection to a node.
#[derive(Debug)]
pub struct Connection {
    channel: Channel,
    token: MetadataValue<Ascii>,
    office: Option<MetadataValue<Ascii>>,
}

impl Connection {
    /// Connects as the options of a command say.
    ///
    /// # Errors
    /// When the token cannot be read, the way is not safe, or nobody answers.
    pub async fn open(matches: &ArgMatches, words: &Words) -> Result<Self, Failure> {
        let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
        let file = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let token = match file("token-file") {
            Some(path) => read(&path, words)?,
            None => std::env::var("SPEAN_TOKEN").map_err(|_| Failure::Usage(words.say("failure-no-token")))?,
        };
        let malformed = |_| Failure::Usage(words.say("failure-token"));
        let token = format!("Bearer {}", token.trim()).parse().map_err(malformed)?;
        let office = text("office");
        let wrong_office = |_| Failure::Usage(words.say("failure-office"));
        let office = if office.is_empty() { None } else { Some(office.parse().map_err(wrong_office)?) };
        let address = text("node");
        let endpoint = endpoint(&address, file("authority"), words)?;
        let channel = endpoint.connect().await.map_err(|_| Failure::NoConnection(address))?;
        Ok(Self { channel, token, office })
    }

    /// Calls a method. A node that has too much to do has done nothing, and is asked again when it says, a few times.
    ///
    /// # Errors
    /// What the node answered.
    pub async fn call(
        &self,
        method: &MethodDescriptor,
        message: &DynamicMessage,
        command: Option<&str>,
    ) -> Result<DynamicMessage, Status> {
        for _ in 0..ASKED_AGAIN {
            match self.call_once(method, message, command).await {
                Err(status) if status.code() == Code::ResourceExhausted => {
                    tokio::time::sleep(later(&status)).await;
                }
                answered => return answered,
            }
        }
        self.call_once(method, message, command).await
    }

    async fn call_once(
        &self,
        method: &MethodDescriptor,
        message: &DynamicMessage,
        command: Option<&str>,
    ) -> Result<DynamicMessage, Status> {
        let mut request = Request::new(message.encode_to_vec());
        let metadata = request.metadata_mut();
        metadata.insert("authorization", self.token.clone());
        if let Some(office) = &self.office {
            metadata.insert("spean-office", office.clone());
        }
        if let Some(command) = command {
            let command = command.parse().map_err(|_| Status::invalid_argument("metadata: spean-command-id"))?;
            metadata.insert("spean-command-id", command);
        }
        let path: PathAndQuery = schema::path_of(method).parse().expect("names of methods are ASCII");
        let mut client = tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(LARGEST_ANSWER);
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let answer = client.unary(request, path, Bytes).await?.into_inner();
        let unreadable = |_| Status::new(Code::Internal, "the answer cannot be read: another version?");
        DynamicMessage::decode(method.output(), answer.as_slice()).map_err(unreadable)
    }

    /// Asks; where the answer comes in pages, for all of them, or for so many rows.
    ///
    /// # Errors
    /// What the node answered.
    pub async fn ask(
        &self,
        method: &MethodDescriptor,
        mut message: DynamicMessage,
        most: Option<usize>,
    ) -> Result<DynamicMessage, Status> {
        let Some(page) = method.input().get_field_by_name("page") else {
            return self.call(method, &message, None).await;
        };
        let list = method.output().fields().find(FieldDescriptor::is_list);
        let list = list.ok_or_else(|| Status::internal("a list without rows"))?;
        let page = page.kind().as_message().cloned().ok_or_else(|| Status::internal("a page that is none"))?;
        let mut whole: Option<DynamicMessage> = None;
        let mut token = String::new();
        loop {
            let mut asked = DynamicMessage::new(page.clone());
            asked.set_field_by_name("size", Value::I32(PAGE));
            asked.set_field_by_name("token", Value::String(token));
            message.set_field_by_name("page", Value::Message(asked));
            let answer = self.call(method, &message, None).await?;
            let next = messages_at(&answer, "page").first().map(|page| text_at(page, "next_token"));
            token = next.unwrap_or_default();
            let whole = match &mut whole {
                None => whole.insert(answer),
                Some(whole) => {
                    if let Value::List(rows) = answer.get_field(&list).into_owned()
                        && let Value::List(all) = whole.get_field_mut(&list)
                    {
                        all.extend(rows);
                    }
                    whole
                }
            };
            if let Value::List(all) = whole.get_field_mut(&list)
                && let Some(most) = most
                && all.len() >= most
            {
                all.truncate(most);
                token = String::new();
            }
            if token.is_empty() {
                whole.clear_field_by_name("page");
                return Ok(whole.clone());
            }
        }
    }

    /// Which day it is for the node, in Cambodia: its clock counts, not the one of this machine.
    ///
    /// # Errors
    /// What the node answered.
    pub(crate) async fn today(&self) -> Result<Date, Status> {
        let method = schema::method("GetNodeStatus").expect("it is part of the interface");
        let status = self.call(method, &DynamicMessage::new(method.input()), None).await?;
        let now = messages_at(&status, "now").first().and_then(instant_of);
        now.map(spean_vocabulary::Timestamp::date_in_cambodia)
            .ok_or_else(|| Status::internal("the node does not say which day it is"))
    }

    /// The office that is acted for, when it was named.
    pub(crate) fn office(&self) -> &str {
        self.office.as_ref().and_then(|office| office.to_str().ok()).unwrap_or_default()
    }

    /// Another handle of the same connection.
    pub(crate) fn again(&self) -> Self {
        Self { channel: self.channel.clone(), token: self.token.clone(), office: self.office.clone() }
    }
}

fn endpoint(address: &str, authority: Option<PathBuf>, words: &Words) -> Result<Endpoint, Failure> {
    let host = address.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let wrong = |_| Failure::Usage(words.say_with("failure-address", &[("address", address)]));
    let Some(authority) = authority else {
        if !is_on_this_machine(host) {
            return Err(Failure::Usage(words.say_with("failure-authority", &[("address", host)])));
        }
        let endpoint = Endpoint::from_shared(format!("http://{host}")).map_err(wrong)?;
        return Ok(endpoint.timeout(PATIENCE).connect_timeout(KNOCKING));
    };
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(&authority, words)?));
    let endpoint = Endpoint::from_shared(format!("https://{host}")).map_err(wrong)?;
    let endpoint = endpoint.timeout(PATIENCE).connect_timeout(KNOCKING);
    endpoint.tls_config(tls).map_err(|error| Failure::Own(error.to_string()))
}

fn is_on_this_machine(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// Reads a text file; the failure names it.
pub(crate) fn read(path: &std::path::Path, words: &Words) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let (file, error) = (path.display().to_string(), error.to_string());
        Failure::Own(words.say_with("failure-file", &[("file", &file), ("error", &error)]))
    })
}

/// When a node that refused may be asked again: not all callers at the same moment.
fn later(status: &Status) -> Duration {
    let said = status.get_details_retry_info().and_then(|info| info.retry_delay).unwrap_or(AGAIN);
    let mut byte = [0];
    #[expect(clippy::disallowed_methods, reason = "a client is where it is spread out who asks when")]
    getrandom::fill(&mut byte).expect("the operating system has a source of randomness");
    said.min(AGAIN * 10).mul_f64(1.0 + f64::from(byte[0]) / 256.0)
}

/// Messages as they are on the wire.
#[derive(Clone, Copy, Debug, Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_node_that_has_too_much_to_do_is_asked_again_when_it_says_and_not_by_all_at_once() {
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(2)));
        let refusal = Status::with_error_details(Code::ResourceExhausted, "too much", details);
        let pauses: Vec<_> = (0..50).map(|_| later(&refusal)).collect();
        assert!(pauses.iter().all(|pause| (2.0..4.0).contains(&pause.as_secs_f64())), "{pauses:?}");
        assert!(pauses.iter().any(|pause| pause != &pauses[0]));
        assert!(later(&Status::resource_exhausted("too much")) < Duration::from_secs(2));
    }

    #[test]
    fn a_token_travels_in_the_clear_on_this_machine_only() {
        for here in ["127.0.0.1:50051", "localhost:50051", "[::1]:50051"] {
            assert!(is_on_this_machine(here), "{here}");
        }
        for elsewhere in ["node.example.org:50051", "10.1.2.3:50051", "localhost.example.org:1"] {
            assert!(!is_on_this_machine(elsewhere), "{elsewhere}");
        }
    }
}
