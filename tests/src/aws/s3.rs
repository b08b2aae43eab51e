//! An S3 in the test's own process (`s3s-fs`): it refuses wrong secrets, and a second put under
//! `If-None-Match: *`.

use std::collections::BTreeMap;
use std::path::Path;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

/// The server, which ends with the test's runtime.
#[derive(Debug)]
pub struct S3Server {
    /// Where it is.
    pub url: String,
    folder: tempfile::TempDir,
}

impl S3Server {
    /// The key that it knows.
    pub const KEY_ID: &str = "AKIATEST";
    /// Its secret.
    pub const SECRET: &str = "the/secret+of-the-test";
    /// A bucket that is there.
    pub const BUCKET: &str = "lake";

    /// Starts one with an empty bucket.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(Self::BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(Self::KEY_ID, Self::SECRET));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let http = Builder::new(TokioExecutor::new());
            while let Ok((socket, _)) = listener.accept().await {
                let connection = http
                    .serve_connection(TokioIo::new(socket), service.clone())
                    .into_owned();
                tokio::spawn(async move {
                    // A client that goes away is no fault of the test.
                    let _ = connection.await;
                });
            }
        });
        Self { url, folder }
    }

    /// The objects of its bucket, by key.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        let root = self.folder.path().join(Self::BUCKET);
        read(&root, &root, &mut objects);
        objects
    }
}

/// Files whose name begins with a dot are the server's own notes.
fn read(root: &Path, folder: &Path, objects: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            read(root, &path, objects);
        } else {
            let key = path.strip_prefix(root).unwrap().to_str().unwrap();
            objects.insert(key.to_owned(), std::fs::read(&path).unwrap());
        }
    }
}
