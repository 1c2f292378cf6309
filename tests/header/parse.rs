//! Reads as much C as the header has.

use super::header;

/// A function of the header.
#[derive(Debug, PartialEq)]
pub struct Function {
    pub name: String,
    /// What it returns, with one blank between words, and without `struct`.
    pub returns: String,
    pub parameters: Vec<Parameter>,
}

#[derive(Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub ty: String,
    pub is_pointer: bool,
}

/// All functions of the header, in its order.
pub fn functions() -> Vec<Function> {
    let code = without_comments_and_directives(&header());
    code.split(';').filter_map(function).collect()
}

/// A structure of the header.
#[derive(Debug, PartialEq)]
pub struct Structure {
    pub name: String,
    /// Type and name of each member; of an array the type ends with its dimension.
    pub members: Vec<(String, String)>,
}

/// All structures whose members the header shows.
pub fn structures() -> Vec<Structure> {
    let code = without_comments_and_directives(&header());
    let bodies = code.split("typedef struct ").skip(1);
    bodies.filter_map(structure).collect()
}

fn structure(text: &str) -> Option<Structure> {
    let (name, rest) = text.split_once('{').filter(|(name, _)| !name.contains(';'))?;
    let (body, _) = rest.split_once('}').expect("structures end");
    let members = body.split(';').map(str::trim).filter(|member| !member.is_empty()).map(member).collect();
    Some(Structure { name: name.trim().to_owned(), members })
}

fn member(text: &str) -> (String, String) {
    let (declared, dimension) = match text.split_once('[') {
        Some((declared, dimension)) => (declared, format!("[{dimension}")),
        None => (text, String::new()),
    };
    let name = last_word(declared);
    (words(declared.strip_suffix(name).unwrap_or_default()) + &dimension, name.to_owned())
}

/// All other types: `gecko_mqtt_status_t` and `int32_t`, or the name of a callback and what it looks like.
pub fn aliases() -> Vec<(String, String)> {
    let code = without_comments_and_directives(&header());
    let typedefs = code.split(';').filter_map(|statement| statement.trim().strip_prefix("typedef "));
    typedefs.filter(|text| !text.starts_with("struct ") || text.contains("(*")).map(alias).collect()
}

fn alias(text: &str) -> (String, String) {
    let Some((returns, rest)) = text.split_once("(*") else {
        let name = last_word(text);
        return (name.to_owned(), words(text.strip_suffix(name).unwrap_or_default()));
    };
    let (name, list) = rest.split_once(")(").expect("a callback has parameters");
    let types: Vec<_> = parameters(list).into_iter().map(|parameter| parameter.ty).collect();
    (name.to_owned(), format!("{}({})", words(returns), types.join(", ")))
}

/// The names of the macros that are numbers, but for the version's.
pub fn numbers() -> Vec<String> {
    let is_number = |value: &str| value.parse::<u32>().is_ok() || value == "UINT32_MAX";
    let header = header();
    let defines = header.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '));
    let named = defines.filter(|(name, value)| is_number(value) && !name.starts_with("GECKO_MQTT_VERSION_"));
    named.map(|(name, _)| name.to_owned()).collect()
}

fn last_word(text: &str) -> &str {
    text.split([' ', '*']).next_back().expect("there is always a last one")
}

/// With one blank between words, and without `struct`, which C++ leaves out too.
fn words(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().filter(|word| *word != "struct").collect();
    words.join(" ")
}

fn without_comments_and_directives(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").expect("comments end").1;
    }
    code.push_str(rest);
    let mut in_macro = false;
    let mut kept = String::new();
    for line in code.lines() {
        let line = line.split("//").next().unwrap_or_default();
        let directive = in_macro || line.trim_start().starts_with('#');
        in_macro = directive && line.ends_with('\\');
        if !directive {
            kept.push_str(line);
            kept.push(' ');
        }
    }
    kept
}

fn function(statement: &str) -> Option<Function> {
    let statement = statement.trim().trim_start_matches("extern \"C\" {").trim();
    let (head, tail) = statement.split_once('(')?;
    let name = last_word(head);
    // A typedef of a function type has its name in a second pair of brackets.
    if !name.starts_with("gecko_mqtt_") || head.contains("typedef") {
        return None;
    }
    let returns = words(head.strip_suffix(name)?);
    Some(Function { name: name.to_owned(), returns, parameters: parameters(tail) })
}

fn parameters(list: &str) -> Vec<Parameter> {
    let list = list.trim_end().strip_suffix(')').expect("a declaration ends with its parameters");
    list.split(',').map(str::trim).filter(|one| !matches!(*one, "void" | "")).map(parameter).collect()
}

fn parameter(text: &str) -> Parameter {
    let name = last_word(text);
    let ty = words(text.strip_suffix(name).unwrap_or_default());
    // Function types end in _fn.
    let is_pointer = text.contains('*') || text.split(' ').next().is_some_and(|ty| ty.ends_with("_fn"));
    Parameter { name: name.to_owned(), ty, is_pointer }
}

#[test]
fn finds_functions_and_their_pointers() {
    let all = functions();
    let subscribe = all.iter().find(|function| function.name == "gecko_mqtt_subscribe").unwrap();
    let pointers: Vec<_> = subscribe.parameters.iter().filter(|p| p.is_pointer).map(|p| &*p.name).collect();
    let expected =
        ["client", "filter", "handler", "userdata", "destroy", "completion", "completion_userdata"];
    assert_eq!((pointers, subscribe.parameters.len()), (expected.to_vec(), 8));
    assert_eq!(all.iter().find(|function| function.name == "gecko_mqtt_version").unwrap().parameters, []);
    assert!(all.len() > 50, "{}", all.len());
    let names: std::collections::BTreeSet<_> = all.iter().map(|function| &function.name).collect();
    assert_eq!(names.len(), all.len(), "a function is declared twice");
}

#[test]
fn finds_types_and_numbers() {
    let all = functions();
    let publish = all.iter().find(|function| function.name == "gecko_mqtt_publish").unwrap();
    assert_eq!(
        (&*publish.returns, &*publish.parameters[1].ty),
        ("gecko_mqtt_status_t", "const gecko_mqtt_message_t *")
    );
    let structures = structures();
    let event = structures.iter().find(|one| one.name == "gecko_mqtt_connection_event_t").unwrap();
    assert_eq!(event.members[0], ("uint32_t".to_owned(), "size".to_owned()));
    assert!(event.members.contains(&("uint8_t[3]".to_owned(), "reserved".to_owned())));
    let aliases = aliases();
    let alias = |name: &str| aliases.iter().find(|(found, _)| found == name).map(|(_, ty)| &**ty);
    assert_eq!(alias("gecko_mqtt_status_t"), Some("int32_t"));
    assert_eq!(alias("gecko_mqtt_state_fn"), Some("void(const char *, void *)"));
    let numbers = numbers();
    assert!(numbers.contains(&"GECKO_MQTT_ERR_DNS".to_owned()) && numbers.len() > 60, "{numbers:?}");
    assert!(!numbers.iter().any(|name| name.contains("VERSION_M")));
}
