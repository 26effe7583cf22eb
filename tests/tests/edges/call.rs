//! Calls any RPC by its name, with a request made from JSON by the descriptors alone: what any client could send.

use std::sync::OnceLock;

use anyhow::Context as _;
use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _};
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use serde_json::Value;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Who asks, as the headers say it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(Vec<(&'static str, String)>);

impl Headers {
    /// Nobody.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Whoever has this token.
    pub(crate) fn token(token: &str) -> Self {
        Self::none().and("authorization", &format!("Bearer {token}"))
    }

    /// With one more header.
    pub(crate) fn and(&self, name: &'static str, value: &str) -> Self {
        let mut headers = self.0.clone();
        headers.push((name, value.to_owned()));
        Self(headers)
    }
}

/// All RPCs of the network, as `package.Service/Method`. Reading them takes longer than a request.
pub(crate) fn every_rpc() -> &'static [(String, MethodDescriptor)] {
    static EVERY_RPC: OnceLock<Vec<(String, MethodDescriptor)>> = OnceLock::new();
    EVERY_RPC.get_or_init(|| {
        let pool = DescriptorPool::decode(spean_contracts::DESCRIPTORS).unwrap();
        let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        methods.map(|method| (format!("{}/{}", method.parent_service().full_name(), method.name()), method)).collect()
    })
}

/// The request of an RPC, from JSON.
pub(crate) fn encode(rpc: &str, request: &Value) -> anyhow::Result<Vec<u8>> {
    let (_, method) = every_rpc().iter().find(|(name, _)| name == rpc).context("there is no such RPC")?;
    let message = DynamicMessage::deserialize(method.input(), request.clone());
    Ok(message.with_context(|| format!("{rpc}: {request}"))?.encode_to_vec())
}

/// Sends a request and waits for the answer, as bytes.
pub(crate) async fn send(channel: &Channel, rpc: &str, headers: &Headers, request: Vec<u8>) -> Result<Vec<u8>, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone()).max_encoding_message_size(usize::MAX);
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new(request);
    for (name, value) in &headers.0 {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    let path: PathAndQuery = format!("/{rpc}").parse().unwrap();
    client.unary(request, path, Bytes).await.map(tonic::Response::into_inner)
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
