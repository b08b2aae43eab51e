use super::*;
use crate::access::auth::lookup_hash;
use crate::base::sql::Sql;
use crate::testing::TestSql;

#[test]
fn a_made_key_is_one_that_is_looked_up() {
    for kind in ["browser", "source", "read"] {
        let body = format!("{{\"kind\":\"{kind}\"}}");
        let key = new_key("my-shop", body.as_bytes(), &[201; SECRET_CHARS]).unwrap();
        assert!(lookup_hash(&key.key).unwrap().starts_with(&key.key_id));
    }
    for bad in ["", "{}", "{\"kind\":\"admin\"}", "null"] {
        let fault = new_key("s", bad.as_bytes(), &[0; SECRET_CHARS]).unwrap_err();
        assert!(matches!(
            fault,
            Fault::Malformed {
                field: Some("kind"),
                ..
            }
        ));
    }
}

#[test]
fn a_key_may_end_later_and_never_later_than_before() {
    let sql = TestSql::new();
    sql.migrate();
    sql.execute_batch(
        "INSERT INTO sites (site_id, name, origins, created_at) VALUES ('s', 's', '[]', 0);
         INSERT INTO keys (key_hash, site_id, kind, created_at) VALUES ('0123456789abcdefff', 's', 'read', 0);",
    );
    let end = |at| {
        let statement = end_key("s", "0123456789abcdef", at, 1);
        let rows: Vec<serde::de::IgnoredAny> = sql.rows(statement.sql, &statement.params).unwrap();
        assert_eq!(rows.len(), 1);
        sql.number("SELECT revoked_at FROM keys")
    };
    assert_eq!((end(500), end(900), end(100)), (500, 500, 100));
    let keys = list_keys("s");
    let rows: Vec<serde_json::Value> = sql.rows(keys.sql, &keys.params).unwrap();
    assert_eq!(rows[0]["keyId"], "0123456789abcdef");
    assert_eq!(rows[0]["revokedAt"], 100);
    assert_eq!(end_of_key(&Params::parse("after=60"), 5), Ok(60_005));
    assert_eq!(end_of_key(&Params::parse(""), 5), Ok(5));
    assert!(end_of_key(&Params::parse("after=-1"), 5).is_err());
}
