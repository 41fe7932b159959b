//! A small JSON file of a folder, asked by key. What is null counts as absent.

use serde_json::Value;

use super::ModelFolder;
use crate::model::json::Json;

/// What a file has that is not what it should be: its key, or the file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SettingFault {
    /// The file.
    pub(crate) file: &'static str,
    /// The fault, or the key that has it.
    pub(crate) fault: &'static str,
}

/// The values of a file; none where there is no such file.
pub(crate) struct Settings {
    file: &'static str,
    json: Json,
}

impl Settings {
    /// The settings in `file`, which is one that folders are read for.
    pub(crate) fn of(folder: &ModelFolder, file: &'static str) -> Result<Self, SettingFault> {
        let json = match folder.file(file) {
            Some(_) => folder.json(file),
            None => Some(Json::empty()),
        };
        let fault = "it is no JSON object, or has a key twice";
        let json = json.ok_or(SettingFault { file, fault })?;
        Ok(Self { file, json })
    }

    /// A value that is there and not null.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.json.value(key)
    }

    /// A truth value, where there is one.
    pub(crate) fn flag(&self, key: &'static str) -> Result<Option<bool>, SettingFault> {
        self.read(key, Value::as_bool)
    }

    /// What `read` makes of the value, where there is one; a value that it makes nothing of is a fault.
    pub(crate) fn read<'a, T>(
        &'a self,
        key: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, SettingFault> {
        let value = self.value(key);
        value
            .map(|value| read(value).ok_or(self.fault(key)))
            .transpose()
    }

    /// That the value under `key` is not what it should be.
    pub(crate) fn fault(&self, key: &'static str) -> SettingFault {
        SettingFault {
            file: self.file,
            fault: key,
        }
    }
}
