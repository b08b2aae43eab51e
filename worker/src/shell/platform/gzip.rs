//! gzip by the platform's streams: a compressor of our own would weigh 34 KB.

use js_sys::futures::JsFuture;
use js_sys::{Array, Function, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ReadableStream, ReadableStreamDefaultReader, ReadableWritablePair, Response};

/// Why a body could not be read.
pub(crate) enum ReadError {
    /// More bytes than allowed.
    TooLarge,
    /// The stream broke: cut off, or not gzip.
    Broken,
}

/// Compresses.
pub(crate) async fn compress(text: &str) -> Result<Vec<u8>, JsValue> {
    // Bytes: a text would be made UTF-16 and back.
    let bytes = Uint8Array::from(text.as_bytes());
    let body = Response::new_with_opt_buffer_source(Some(&bytes))?
        .body()
        .ok_or(JsValue::NULL)?;
    let packed = body.pipe_through(&gzip_stream("CompressionStream")?);
    let response = Response::new_with_opt_readable_stream(Some(&packed))?;
    let buffer = JsFuture::from(response.array_buffer()?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// The stream, unpacked as it comes.
fn decompress(body: &ReadableStream) -> Result<ReadableStream, JsValue> {
    Ok(body.pipe_through(&gzip_stream("DecompressionStream")?))
}

/// Lines of a segment, unpacked: at most [`MAX_LINES_BYTES`] of them.
pub(crate) async fn inflate(packed: &[u8]) -> worker::Result<String> {
    let broken = || worker::Error::RustError("lines that cannot be unpacked".to_owned());
    let bytes = Uint8Array::from(packed);
    let body = Response::new_with_opt_buffer_source(Some(&bytes))?
        .body()
        .ok_or_else(broken)?;
    let lines = read(decompress(&body)?, MAX_LINES_BYTES).await;
    String::from_utf8(lines.map_err(|_| broken())?).map_err(|_| broken())
}

/// Bytes of a segment's lines at most: those of a message, or of a rebuild, and after compaction the 8 MB
/// of an object at most.
const MAX_LINES_BYTES: usize = 16_000_000;

/// `new CompressionStream("gzip")` or its inverse: web-sys has these only behind its unstable flag.
fn gzip_stream(class: &str) -> Result<ReadableWritablePair, JsValue> {
    let constructor: Function =
        Reflect::get(&js_sys::global(), &JsValue::from_str(class))?.dyn_into()?;
    let stream = Reflect::construct(&constructor, &Array::of1(&JsValue::from_str("gzip")))?;
    Ok(stream.unchecked_into())
}

/// Reads a stream to its end, or to the first byte over `limit`: a small body can unpack to
/// gigabytes.
pub(crate) async fn read(stream: ReadableStream, limit: usize) -> Result<Vec<u8>, ReadError> {
    let broken = |_: JsValue| ReadError::Broken;
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    loop {
        let step = JsFuture::from(reader.read()).await.map_err(broken)?;
        let get = |name: &str| Reflect::get(&step, &JsValue::from_str(name));
        if get("done").map_err(broken)?.is_truthy() {
            return Ok(bytes);
        }
        let chunk: Uint8Array = get("value").map_err(broken)?.dyn_into().map_err(broken)?;
        if bytes.len().saturating_add(chunk.length() as usize) > limit {
            // The sender is told; what it still sends is of no interest.
            let _ = reader.cancel();
            return Err(ReadError::TooLarge);
        }
        bytes.append(&mut chunk.to_vec());
    }
}
