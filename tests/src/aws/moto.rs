//! moto's server, with authentication on: Firehose, EventBridge, SQS, and the S3 that Firehose
//! delivers into. One for a test process, for it takes seconds to start.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use shoreline_worker::sinks::{
    Answer, Credentials, Method, Signing, SinkRequest, Transport, payload_hash,
};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;

use super::{REGION, Wire, credentials};
use crate::{eventually, free_port, root};

/// The calls that make a user, a role and their keys are not yet asked for their signatures.
const CALLS_WITHOUT_A_KEY: u32 = 6;

/// Ends the server with its standard input, so also where the test's process is killed.
const RUN: &str = r#""$0" -H 127.0.0.1 -p "$1" >/dev/null 2>&1 & server=$!; cat; kill $server"#;

/// A running server.
#[derive(Debug)]
pub struct Moto {
    /// Where it is.
    pub url: String,
    /// A user's key, who may do all.
    pub key_id: String,
    /// Its secret.
    pub secret: String,
    /// Temporary keys of a role that may do all: id, secret and token.
    pub session: (String, String, String),
    _process: Child,
}

/// The server that the tests of a process share; they use names of their own.
pub async fn moto() -> &'static Moto {
    static SHARED: OnceCell<Moto> = OnceCell::const_new();
    SHARED.get_or_init(Moto::start).await
}

impl Moto {
    async fn start() -> Self {
        let installed = Command::new("node")
            .arg("deploy/dev/setup/moto.mjs")
            .current_dir(root())
            .status();
        assert!(installed.unwrap().success(), "moto is not installed");
        let port = free_port();
        let process = Command::new("sh")
            .args(["-c", RUN, ".tools/moto/bin/moto_server", &port.to_string()])
            .current_dir(root())
            .env(
                "INITIAL_NO_AUTH_ACTION_COUNT",
                CALLS_WITHOUT_A_KEY.to_string(),
            )
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        eventually("moto listens", async || {
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        let mut moto = Self {
            url: format!("http://127.0.0.1:{port}"),
            key_id: "AKIANOBODY".to_owned(),
            secret: "none".to_owned(),
            session: Default::default(),
            _process: process,
        };
        let all = encode(
            &json!({"Version": "2012-10-17", "Statement":
                [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
            .to_string(),
        );
        let trust = encode(
            &json!({"Version": "2012-10-17", "Statement":
                [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]})
            .to_string(),
        );
        let arn = encode("arn:aws:iam::123456789012:role/writer");
        let mut answers = Vec::new();
        for (service, call) in [
            ("iam", "CreateUser&UserName=shoreline".to_owned()),
            ("iam", "CreateAccessKey&UserName=shoreline".to_owned()),
            (
                "iam",
                format!("PutUserPolicy&UserName=shoreline&PolicyName=all&PolicyDocument={all}"),
            ),
            (
                "iam",
                format!("CreateRole&RoleName=writer&AssumeRolePolicyDocument={trust}"),
            ),
            (
                "iam",
                format!("PutRolePolicy&RoleName=writer&PolicyName=all&PolicyDocument={all}"),
            ),
            (
                "sts",
                format!("AssumeRole&RoleSessionName=session&RoleArn={arn}"),
            ),
        ] {
            answers.push(moto.query(service, &format!("Action={call}")).await);
        }
        let key = |answer: &str| (tag(answer, "AccessKeyId"), tag(answer, "SecretAccessKey"));
        (moto.key_id, moto.secret) = key(&answers[1]);
        let (id, secret) = key(&answers[5]);
        moto.session = (id, secret, tag(&answers[5], "SessionToken"));
        moto
    }

    /// The user's key.
    fn credentials(&self) -> Credentials {
        credentials(&self.key_id, &self.secret, None)
    }

    /// A new bucket, and a delivery stream of the same name into it.
    pub async fn new_stream(&self, name: &str) {
        self.s3(Method::Put, &format!("/{name}")).await;
        self.json(
            "firehose",
            "Firehose_20150804.CreateDeliveryStream",
            json!({"DeliveryStreamName": name, "ExtendedS3DestinationConfiguration": {
                "RoleARN": "arn:aws:iam::123456789012:role/firehose",
                "BucketARN": format!("arn:aws:s3:::{name}"),
            }}),
        )
        .await;
    }

    /// The lines that a stream delivered into its bucket.
    pub async fn delivered(&self, name: &str) -> Vec<Value> {
        let list = self
            .s3(Method::Get, &format!("/{name}?list-type=2&max-keys=1000"))
            .await;
        let mut lines = Vec::new();
        for part in list.body.split("<Key>").skip(1) {
            let key = part.split('<').next().unwrap();
            let object = self.s3(Method::Get, &format!("/{name}/{key}")).await;
            let read = |line| serde_json::from_str(line).unwrap();
            lines.extend(object.body.lines().map(read));
        }
        lines
    }

    /// A new queue; its URL.
    pub async fn new_queue(&self, name: &str) -> String {
        let queue = self
            .json("sqs", "AmazonSQS.CreateQueue", json!({"QueueName": name}))
            .await;
        queue["QueueUrl"].as_str().unwrap().to_owned()
    }

    /// Takes all messages that a queue has.
    pub async fn receive(&self, queue_url: &str) -> Vec<Value> {
        let mut bodies = Vec::new();
        loop {
            let ask = json!({"QueueUrl": queue_url, "MaxNumberOfMessages": 10});
            let got = self.json("sqs", "AmazonSQS.ReceiveMessage", ask).await;
            let Some(messages) = got["Messages"].as_array().filter(|some| !some.is_empty()) else {
                return bodies;
            };
            for message in messages {
                bodies.push(serde_json::from_str(message["Body"].as_str().unwrap()).unwrap());
                let done =
                    json!({"QueueUrl": queue_url, "ReceiptHandle": message["ReceiptHandle"]});
                self.json("sqs", "AmazonSQS.DeleteMessage", done).await;
            }
        }
    }

    /// A new bus with a rule that sends everything of a source's prefix to a queue.
    pub async fn new_bus(&self, name: &str, prefix: &str) -> String {
        let queue_url = self.new_queue(name).await;
        let bus = json!({"Name": name});
        self.json("events", "AWSEvents.CreateEventBus", bus).await;
        let pattern = json!({"source": [{"prefix": format!("{prefix}.")}]}).to_string();
        let rule = json!({"Name": name, "EventBusName": name, "EventPattern": pattern});
        self.json("events", "AWSEvents.PutRule", rule).await;
        let arn = format!("arn:aws:sqs:{REGION}:123456789012:{name}");
        let target = json!({"Rule": name, "EventBusName": name,
            "Targets": [{"Id": "queue", "Arn": arn}]});
        self.json("events", "AWSEvents.PutTargets", target).await;
        queue_url
    }

    async fn json(&self, service: &str, target: &str, body: Value) -> Value {
        let request = SinkRequest::new(
            Method::Post,
            format!("{}/", self.url),
            body.to_string().into_bytes(),
        )
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target);
        let answer = self.send(service, request).await;
        serde_json::from_str(&answer.body).unwrap_or(Value::Null)
    }

    async fn query(&self, service: &str, body: &str) -> String {
        let request = SinkRequest::new(
            Method::Post,
            format!("{}/", self.url),
            body.as_bytes().to_vec(),
        )
        .header("content-type", "application/x-www-form-urlencoded");
        self.send(service, request).await.body
    }

    async fn s3(&self, method: Method, path: &str) -> Answer {
        let request = SinkRequest::new(method, format!("{}{path}", self.url), Vec::new())
            .header("x-amz-content-sha256", payload_hash(b""));
        self.send("s3", request).await
    }

    async fn send(&self, service: &str, request: SinkRequest) -> Answer {
        let wire = Wire::new();
        let signing = Signing {
            credentials: &self.credentials(),
            region: REGION,
            service,
            at_ms: wire.now_ms(),
        };
        let hash = payload_hash(&request.body);
        let shown = format!("{request:?}");
        let answer = wire.send(signing.sign(request, &hash)).await.unwrap();
        assert!((200..300).contains(&answer.status), "{shown}: {answer:?}");
        answer
    }
}

/// A value in the body of a form.
fn encode(text: &str) -> String {
    let hex = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(hex).collect()
}

/// The text of an XML element.
fn tag(xml: &str, name: &str) -> String {
    let (_, rest) = xml.split_once(&format!("<{name}>")).expect(xml);
    rest.split('<').next().unwrap().to_owned()
}
