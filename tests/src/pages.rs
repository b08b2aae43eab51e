//! A web site of the test's own, on another origin than the collector.

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::http::{Request, answer};

const HTML: &str = "text/html; charset=utf-8";

/// Status, headers and body.
type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// What is served at every path.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// In the head, before the snippet.
    pub head: String,
    /// The snippet, or whatever stands in its place.
    pub snippet: String,
    /// In the body.
    pub body: String,
    /// Headers of the answer.
    pub headers: Vec<(String, String)>,
}

/// A running site. It ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct Pages {
    /// Its origin.
    pub url: String,
}

impl Pages {
    /// Serves one page at every path, which is its title too.
    pub async fn serve(page: Page) -> Self {
        Self::answer_by(move |path| {
            let mut headers = page.headers.clone();
            headers.push(("content-type".into(), HTML.into()));
            (200, headers, page.html(path).into_bytes())
        })
        .await
    }

    /// Serves the files of a folder, as a bundler has made them.
    pub async fn serve_folder(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self::answer_by(move |path| {
            let name = if path == "/" { "/index.html" } else { path };
            let content_type = match name.rsplit('.').next() {
                Some("html") => HTML,
                Some("js") => "text/javascript",
                Some("wasm") => "application/wasm",
                _ => "application/octet-stream",
            };
            let headers = vec![("content-type".into(), content_type.into())];
            match std::fs::read(folder.join(&name[1..])) {
                Ok(content) => (200, headers, content),
                Err(_) => (404, Vec::new(), Vec::new()),
            }
        })
        .await
    }

    async fn answer_by(answer_to: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer_to = Arc::new(answer_to);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer_to = answer_to.clone();
                tokio::spawn(async move {
                    if let Some(request) = Request::read(&mut stream).await {
                        let (status, headers, body) = answer_to(request.path());
                        answer(&mut stream, status, &headers, &body).await;
                    }
                });
            }
        });
        Self {
            url: format!("http://localhost:{port}"),
        }
    }
}

impl Page {
    fn html(&self, title: &str) -> String {
        let Self {
            head,
            snippet,
            body,
            ..
        } = self;
        format!(
            "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>\
             <link rel=icon href=data:,>{head}{snippet}</head><body>{body}</body></html>"
        )
    }
}
