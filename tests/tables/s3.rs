//! An S3 in this process, its buckets folders: signatures are verified, conditions kept.

use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

pub(crate) const KEY: &str = "a-key-of-the-test";
pub(crate) const SECRET: &str = "a-secret-of-the-test";

/// Serves the folders below `root`; answers the endpoint.
pub(crate) async fn serve(root: &Path) -> String {
    let mut service = S3ServiceBuilder::new(FileSystem::new(root).unwrap());
    service.set_auth(SimpleAuth::from_single(KEY, SECRET));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let http = Builder::new(TokioExecutor::new());
                // A client that hangs up is no concern of the server.
                let _ = http.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    endpoint
}
