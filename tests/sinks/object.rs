//! Conditional puts to S3.

use shoreline_tests::aws::{REGION, S3Server, Wire, config, moto};
use shoreline_worker::sinks::{
    Failure, FailureKind, Landing, Outcome, S3, SealedObject, Sink, put_object,
};

fn s3(changes: &[(&str, &str)]) -> S3 {
    let mut vars = vec![
        ("SINKS", "s3"),
        ("AWS_REGION", REGION),
        ("S3_BUCKET", S3Server::BUCKET),
        ("S3_PREFIX", "raw/"),
        ("AWS_ACCESS_KEY_ID", S3Server::KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", S3Server::SECRET),
    ];
    vars.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    vars.extend(changes);
    match config(&vars).sinks.remove(0) {
        Sink::S3(s3) => s3,
        other => panic!("{other:?}"),
    }
}

fn object(sequence: i64, hash: &str) -> SealedObject {
    SealedObject {
        sequence,
        key: format!("events/date=2024-01-15/hour=16/demo-0-e-{sequence:010}.ndjson.gz"),
        hash: hash.into(),
        events: 2,
    }
}

fn failure(landing: Landing) -> Failure {
    match landing {
        Landing::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_object_is_put_once_and_known_by_its_hash() {
    let server = S3Server::start().await;
    let (s3, wire) = (s3(&[("S3_ENDPOINT", &server.url)]), Wire::new());
    let body = b"packed lines".to_vec();
    let landing = put_object(&s3, &wire, &object(1, "beef"), body.clone()).await;
    assert_eq!(landing, Landing::Put);
    let landing = put_object(&s3, &wire, &object(1, "beef"), body.clone()).await;
    assert!(matches!(landing, Landing::Taken(_)), "{landing:?}");
    assert_eq!(landing.outcome(&object(1, "beef")), Outcome::Done);
    // What another writer would put is not written over, and not taken for ours.
    let landing = put_object(&s3, &wire, &object(1, "dead"), b"other".to_vec()).await;
    assert_eq!(landing.outcome(&object(1, "dead")), Outcome::Conflict);
    let objects = server.objects();
    let key = format!("raw/{}", object(1, "").key);
    assert_eq!(objects.into_iter().collect::<Vec<_>>(), [(key, body)]);
}

#[tokio::test]
async fn a_wrong_secret_or_key_lasts_and_is_named() {
    let server = S3Server::start().await;
    let wire = Wire::new();
    for (changed, value, code) in [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "SignatureDoesNotMatch"),
        ("AWS_ACCESS_KEY_ID", "AKIAOTHER", "NotSignedUp"),
    ] {
        let s3 = s3(&[("S3_ENDPOINT", &server.url), (changed, value)]);
        let failure = failure(put_object(&s3, &wire, &object(1, "beef"), b"x".to_vec()).await);
        assert_eq!(failure.kind, FailureKind::Lasting, "{failure:?}");
        assert_eq!(failure.code, code);
    }
    assert!(server.objects().is_empty());
}

#[tokio::test]
async fn a_server_that_is_gone_passes() {
    let server = format!("http://127.0.0.1:{}", shoreline_tests::free_port());
    let s3 = s3(&[("S3_ENDPOINT", &server)]);
    let landing = put_object(&s3, &Wire::new(), &object(1, "beef"), b"x".to_vec()).await;
    assert_eq!(failure(landing), Failure::passing("no_answer"));
}

#[tokio::test]
async fn temporary_keys_need_their_token() {
    let moto = moto().await;
    let bucket = "temporary";
    moto.new_stream(bucket).await;
    let (id, secret, token) = &moto.session;
    let keys = [
        ("S3_ENDPOINT", moto.url.as_str()),
        ("S3_BUCKET", bucket),
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_SESSION_TOKEN", token),
    ];
    let wire = Wire::new();
    let landing = put_object(&s3(&keys), &wire, &object(1, "beef"), b"x".to_vec()).await;
    assert_eq!(landing, Landing::Put);
    for broken in [
        &keys[..4],
        &[&keys[..4], &[("AWS_SESSION_TOKEN", "no")]].concat(),
    ] {
        let landing = put_object(&s3(broken), &wire, &object(2, "beef"), b"x".to_vec()).await;
        assert!(matches!(landing, Landing::Failed(_)), "{landing:?}");
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_lasts() {
    let moto = moto().await;
    let s3 = s3(&[
        ("S3_ENDPOINT", &moto.url),
        ("S3_BUCKET", "nowhere"),
        ("AWS_ACCESS_KEY_ID", &moto.key_id),
        ("AWS_SECRET_ACCESS_KEY", &moto.secret),
    ]);
    let landing = put_object(&s3, &Wire::new(), &object(1, "beef"), b"x".to_vec()).await;
    assert_eq!(failure(landing), Failure::lasting("NoSuchBucket"));
}
