//! `import_do`: one import of a site.

use serde::de::DeserializeOwned;
use worker::{Env, Result};

use crate::import::{Added, NewImport, Place, Progress, UploadedPart};
use crate::protocol::names::{ADD_PART, COMPLETE, CREATE, IS_OPEN, PROGRESS, WAKE, import_object};
use crate::shell::platform::bindings::IMPORT_DO;
use crate::shell::platform::objects;

/// One import. Its name begins with its site: another site's is another object.
pub(crate) struct ImportDo<'a> {
    env: &'a Env,
    name: String,
}

impl<'a> ImportDo<'a> {
    /// The import of a site.
    pub(crate) fn of(env: &'a Env, place: Place<'_>) -> Self {
        let name = import_object(place.site, place.import_id);
        Self { env, name }
    }

    /// Makes it, where it is not made yet.
    pub(crate) async fn create(&self, new: &NewImport) -> Result<()> {
        self.call(CREATE, &serde_json::to_string(new)?).await
    }

    /// Whether it takes parts; none where there is no such import.
    pub(crate) async fn is_open(&self) -> Result<Option<bool>> {
        self.call(IS_OPEN, "").await
    }

    /// Tells it of a part that lies in the bucket; none where there is no such import.
    pub(crate) async fn add_part(&self, part: &UploadedPart) -> Result<Option<Added>> {
        self.call(ADD_PART, &serde_json::to_string(part)?).await
    }

    /// Tells it that no more parts come, and how far it is; none where there is no such import.
    pub(crate) async fn complete(&self) -> Result<Option<Progress>> {
        self.call(COMPLETE, "").await
    }

    /// How far it is; none where there is no such import.
    pub(crate) async fn progress(&self) -> Result<Option<Progress>> {
        self.call(PROGRESS, "").await
    }

    /// Has it look at its alarm.
    pub(crate) async fn wake(&self) -> Result<()> {
        self.call(WAKE, "").await
    }

    async fn call<T: DeserializeOwned>(&self, command: &str, body: &str) -> Result<T> {
        objects::call(self.env, IMPORT_DO, &self.name, command, body).await
    }
}
