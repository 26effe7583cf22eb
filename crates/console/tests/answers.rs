//! How the program ends for each code that a node may answer with, over a real connection.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use clap::Command;
use spean_console::{Exit, Language, Words, mount, run};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};

/// Answers every request of a service with one code.
#[derive(Clone)]
struct Answering(Code);

impl NamedService for Answering {
    const NAME: &'static str = "spean.referral.v1.ReferralService";
}

impl Service<http::Request<Body>> for Answering {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        ready(Ok(Status::new(self.0, "as the test wants it").into_http()))
    }
}

/// How a command ends that is sent to whoever listens there.
fn ends(address: &str, words: &[&str]) -> Exit {
    let folder = std::env::temp_dir().join(format!("spean-console-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder is ours");
    let token = folder.join("token");
    std::fs::write(&token, "v4.public.nothing").expect("the folder is ours");
    let said = Words::new(Language::Khmer);
    let mut program = mount(Command::new("spean"), &said);
    let token = token.display().to_string();
    let words = [&["spean"], words, &["--node", address, "--token-file", &token, "--office", "kandal"]].concat();
    let matches = program.try_get_matches_from_mut(words).expect("it is well formed");
    run(&mut program, &matches, &said).expect("it is a command of ours")
}

#[test]
fn every_code_of_a_node_has_its_exit() {
    let expected = [
        (Code::InvalidArgument, Exit::WrongValue),
        (Code::FailedPrecondition, Exit::Refused),
        (Code::NotFound, Exit::NotFound),
        (Code::PermissionDenied, Exit::NotPermitted),
        (Code::Unauthenticated, Exit::NotSignedIn),
        (Code::Aborted, Exit::TryAgain),
        (Code::ResourceExhausted, Exit::TryAgain),
        (Code::Unavailable, Exit::Unavailable),
        (Code::DeadlineExceeded, Exit::Unavailable),
        (Code::Internal, Exit::NodeFault),
    ];
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (code, exit) in expected {
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("it listens").to_string();
        let server = Server::builder().add_service(Answering(code));
        let serving = runtime.spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        assert_eq!(ends(&address, &["node", "status"]), exit, "{code:?}");
        // What the node does not serve, and what was commanded and may have been done.
        assert_eq!(ends(&address, &["case", "list"]), Exit::NotServed);
        let offer = "5d1e2f30-0000-4000-8000-000000000001";
        assert_eq!(ends(&address, &["referral", "accept", offer]), exit, "{code:?}");
        serving.abort();
    }
}

#[test]
fn where_nobody_listens_there_is_no_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it listens").to_string();
    drop(listener);
    assert_eq!(ends(&address, &["node", "status"]), Exit::NoConnection);
    assert_eq!(ends("node.example.org:50051", &["node", "status"]), Exit::Usage, "another machine, and no authority");
}
