//! A server's secret manager: all secrets in one entry, with metadata and expiry.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use chrono::{Duration, Utc};
use strongroom::{
    ErrorKind, ExposeSecret, Result, Secret, SecretKey, SecretManager, SecretMetadata,
};

#[tokio::main]
async fn main() -> Result<()> {
    let secrets = SecretManager::init("sideseat").await?;
    println!("{}, lasting: {}", secrets.backend().name(), secrets.is_persistent());

    secrets.set_api_key("OPENAI_API_KEY", "sk-1", Some("openai")).await?;
    let value = secrets.get_value("OPENAI_API_KEY").await?;
    assert_eq!(value.expect("it was just stored").expose_secret(), "sk-1");

    let key = SecretKey::with_target("DATABASE_PASSWORD", "production");
    let mut metadata = SecretMetadata::new();
    metadata.provider = Some("postgres".into());
    metadata.expires_at = Some((Utc::now() + Duration::days(90)).into());
    let secret = Secret { value: "hunter2".into(), metadata };
    secrets.set(&key, &secret).await?;
    secrets.update_value(&key, "hunter3").await?;
    let stored = secrets.get(&key).await?.expect("it was just stored");
    assert_eq!(stored.metadata.provider.as_deref(), Some("postgres"), "metadata stays");

    let mut expired = Secret::with_provider("old", "github");
    expired.metadata.expires_at = Some((Utc::now() - Duration::days(1)).into());
    secrets.set("OLD_TOKEN", &expired).await?;
    let error = secrets.get("OLD_TOKEN").await.expect_err("its time is over");
    assert_eq!(error.kind(), ErrorKind::Expired);
    assert!(secrets.exists("OLD_TOKEN").await?);

    assert!(secrets.get("NO_SUCH_KEY").await?.is_none());
    let error = secrets.update_value("NO_SUCH_KEY", "v").await.expect_err("it is missing");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    println!("{} secrets", secrets.list().await?.len());
    assert!(secrets.delete(&key).await?);
    Ok(())
}
