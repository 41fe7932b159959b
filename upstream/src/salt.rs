//! With whom the server may share what it computed of a prompt: vLLM's `cache_salt`.

use aws_lc_rs::{error::Unspecified, hmac, rand};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use engine::Job;

/// Requests with the same salt may share. From the secret inside the seal and the tenant where there is a secret; otherwise random, so that
/// nothing is shared. The server never sees the secret itself.
pub(crate) fn salt(job: &Job) -> Result<String, Unspecified> {
    let Some(secret) = &job.cache_secret else {
        return random_salt();
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret.0);
    let mut context = hmac::Context::with_key(&key);
    context.update(b"narthex/1/cache-salt");
    context.update(&job.tenant.0);
    Ok(BASE64_URL_SAFE_NO_PAD.encode(context.sign()))
}

/// One that nobody else has.
pub(crate) fn random_salt() -> Result<String, Unspecified> {
    let mut random = [0; 32];
    rand::fill(&mut random)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{CacheSecret, Prompt, TenantId};

    fn of(secret: Option<u8>, tenant: u8) -> String {
        let mut job = Job::new(Prompt::text("x"));
        job.cache_secret = secret.map(|byte| CacheSecret([byte; 32]));
        job.tenant = TenantId([tenant; 32]);
        salt(&job).unwrap()
    }

    #[test]
    fn secret_and_tenant_decide() {
        assert_eq!(of(Some(1), 1), of(Some(1), 1));
        assert_ne!(of(Some(1), 1), of(Some(2), 1));
        assert_ne!(of(Some(1), 1), of(Some(1), 2));
    }

    #[test]
    fn without_a_secret_nothing_is_shared() {
        assert_ne!(of(None, 1), of(None, 1));
    }
}
