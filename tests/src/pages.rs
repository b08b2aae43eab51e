//! A web site of the test's own, on another origin than the collector.

use tokio::net::TcpListener;

use crate::http::{Request, answer};

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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let page = page.clone();
                tokio::spawn(async move {
                    let Some(request) = Request::read(&mut stream).await else {
                        return;
                    };
                    let mut headers = page.headers.clone();
                    headers.push(("content-type".into(), "text/html; charset=utf-8".into()));
                    let html = page.html(request.path());
                    answer(&mut stream, 200, &headers, html.as_bytes()).await;
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
