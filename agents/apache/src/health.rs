// SPDX-License-Identifier: Apache-2.0 OR MIT
//! Whether the server answers as it should.
//!
//! Level 0 asks for the status page; where nothing at all is configured about it, a server that has none
//! is asked for the head of its front page. Level 10 asks for the page of a test, and is level 0 where there
//! is no test.

use crate::Parameters;
use crate::expression::Expression;
use crate::http::{self, Page, Question, Wish};
use crate::settings::Settings;
use crate::target::{self, filled};
use crate::webtest;
use ocf::{Context, Error, Result, tracing};

/// What a status page matches unless it is said: the end of an HTML page.
const HTML_ENDS: &str = "</ *html *>";

/// The name of that.
const UNSET: &str = "the end of an HTML page";

/// Judges a running server at the check level that is asked for.
///
/// # Errors
/// As [`level0`] and [`level10`], but always `generic` (1): whatever is wrong with a parameter, the server does
/// run, and a probe must not say that it doesn't.
pub(crate) fn check(parameters: &Parameters, settings: &Settings, context: &Context) -> Result<()> {
    let judged = match context.level_among(&[0, 10]) {
        10 => level10(parameters, settings, context),
        _ => level0(parameters, settings, context),
    };
    judged.map_err(|error| Error::generic(error.reason))
}

/// Judges the server by its status page.
///
/// # Errors
/// `generic` (1): it doesn't answer, or not as it should; the sentence names the URL without any secret.
/// `configured` (6): statusurl is no URL, or testregex no expression.
pub(crate) fn level0(
    parameters: &Parameters,
    settings: &Settings,
    context: &Context,
) -> Result<()> {
    let expression = match &parameters.testregex {
        Some(text) => Expression::parse("testregex", text)?,
        None => Expression::parse(UNSET, HTML_ENDS)?,
    };
    let target = target::status(parameters, settings)?;
    if has_wish(parameters) {
        return judge(&Question::get(target), &expression, context);
    }
    match http::fetch(&Question::get(target), &context.deadline) {
        Ok(page) if matches(&page, &expression).is_ok() => Ok(()),
        Ok(page) => front(parameters, settings, context).or_else(|_| matches(&page, &expression)),
        // The same server would be asked again.
        Err(failure) if failure.is_final && !failure.is_refusal => Err(failure.into()),
        Err(failure) => front(parameters, settings, context).map_err(|_| failure.into()),
    }
}

/// Judges the server by a test's page; by the status page where there is no test.
///
/// # Errors
/// As [`level0`]; `installed` (5): testconffile can't be read here; `configured` (6): the test is none.
pub(crate) fn level10(
    parameters: &Parameters,
    settings: &Settings,
    context: &Context,
) -> Result<()> {
    if let Some(file) = &parameters.testconffile {
        let test = webtest::read(file, filled(parameters.testname.as_deref()))?;
        let target = target::test("url", &test.url, parameters, settings)?;
        return match test.client {
            None => {
                let question = Question::get(target).with_login(test.login);
                judge(&question, &test.expression, context)
            }
            Some(client) => {
                let client = client.or(&parameters.client, context);
                matches(&client.ask(&target.url, test.login.as_ref(), context)?, &test.expression)
            }
        };
    }
    match (&parameters.testurl, &parameters.testregex10) {
        (None, None) => level0(parameters, settings, context),
        (Some(_), None) => Err(no_expression()),
        (url, Some(text)) => {
            let expression = Expression::parse("testregex10", text)?;
            let url = url.as_deref().unwrap_or("/");
            let target = target::test("testurl", url, parameters, settings)?;
            judge(&Question::get(target), &expression, context)
        }
    }
}

fn no_expression() -> Error {
    Error::configured("testurl is set and testregex10 is not: set what the page has to match")
}

/// Judges the parameters, looking at nothing outside.
///
/// # Errors
/// `configured` (6): statusurl or testurl is no URL, testregex or testregex10 no expression.
pub(crate) fn validate(parameters: &Parameters) -> Result<()> {
    if let Some(text) = &parameters.statusurl {
        target::parse_url("statusurl", text)?;
    }
    if let Some(text) = &parameters.testregex {
        Expression::parse("testregex", text)?;
    }
    if let Some(text) = &parameters.testregex10 {
        Expression::parse("testregex10", text)?;
    }
    // A file of tests counts before the two.
    let url = parameters.testurl.as_deref().filter(|_| parameters.testconffile.is_none());
    url.map_or(Ok(()), |text| target::parse_test("testurl", text).map(|_| ()))
}

/// Judges what the parameters name on this host.
///
/// # Errors
/// `installed` (5): testconffile can't be read here, or names a client that isn't here; `configured` (6): what
/// it says is no test.
pub(crate) fn validate_host(parameters: &Parameters, context: &Context) -> Result<()> {
    let Some(file) = &parameters.testconffile else {
        if parameters.testurl.is_some() && parameters.testregex10.is_none() {
            // A resource that is monitored at level 0 only runs well with that.
            tracing::warn!("{}", no_expression());
        }
        return Ok(());
    };
    let test = webtest::read(file, filled(parameters.testname.as_deref()))?;
    test.client
        .map_or(Ok(()), |client| client.or(&parameters.client, context).find(context).map(|_| ()))
}

/// Whether anything at all is said about what to ask for.
fn has_wish(parameters: &Parameters) -> bool {
    let texts = [
        &parameters.statusurl,
        &parameters.testregex,
        &parameters.testurl,
        &parameters.testregex10,
    ];
    texts.into_iter().any(Option::is_some) || parameters.testconffile.is_some()
}

/// Whether the front page answers at all. What the server forbids or doesn't have is an answer, and so is that
/// it wants a certificate of ours, or passes on to servers that aren't there; an error of its own is none.
fn front(parameters: &Parameters, settings: &Settings, context: &Context) -> Result<()> {
    let target = target::index(parameters, settings)?;
    match http::fetch(&Question::head(target), &context.deadline) {
        Ok(Page { url, status: status @ (502..=504), .. }) => {
            tracing::info!("{url}: status {status}: this server answers, those behind it don't");
            Ok(())
        }
        Ok(page) if page.status >= 500 => Err(bad_status(&page)),
        Err(failure) if !failure.is_refusal => Err(failure.into()),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn judge(question: &Question, expression: &Expression, context: &Context) -> Result<()> {
    let page = http::fetch(question, &context.deadline)?;
    matches(&page, expression)
}

fn bad_status(Page { url, status, wish, .. }: &Page) -> Error {
    let remedy = match status {
        401 => match wish {
            Wish::Login => ": it wants a login",
            Wish::OtherLogin => ": it wants another login",
            Wish::OtherWay => ": only AuthType Basic is supported",
        },
        403 => ": let this host read it",
        404 => ": there is no such page",
        _ => "",
    };
    Error::generic(format!("{url}: status {status}{remedy}"))
}

/// Whether a page is one, and matches.
fn matches(page: &Page, expression: &Expression) -> Result<()> {
    let Page { url, status, body, is_whole, .. } = page;
    let wrong = |what: String| Err(Error::generic(format!("{url}: {what}")));
    if !(200..300).contains(status) {
        return Err(bad_status(page));
    }
    if body.is_empty() {
        return wrong(format!("status {status} and an empty page"));
    }
    if expression.matches(body)? {
        return Ok(());
    }
    let what = if *is_whole { "its page" } else { "the first 8 MiB of its page" };
    match expression.name() {
        UNSET => wrong(format!("{what} has no </html>: set testregex to what it has")),
        name => wrong(format!("{what} does not match {name}")),
    }
}

#[cfg(test)]
mod tests;
