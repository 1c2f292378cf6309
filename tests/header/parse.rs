//! Reads as much C as the header has.

use super::header;

/// A function of the header.
#[derive(Debug, PartialEq)]
pub struct Function {
    pub name: String,
    pub parameters: Vec<Parameter>,
}

#[derive(Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub is_pointer: bool,
}

/// All functions of the header, in its order.
pub fn functions() -> Vec<Function> {
    let code = without_comments_and_directives(&header());
    code.split(';').filter_map(function).collect()
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
    let name = head.split([' ', '*']).next_back()?;
    // A typedef of a function type has its name in a second pair of brackets.
    if !name.starts_with("gecko_mqtt_") || head.contains("typedef") {
        return None;
    }
    let list = tail.trim_end().strip_suffix(')').expect("a declaration ends with its parameters");
    let parameters = list.split(',').map(str::trim).filter(|one| !matches!(*one, "void" | "")).map(parameter);
    Some(Function { name: name.to_owned(), parameters: parameters.collect() })
}

fn parameter(text: &str) -> Parameter {
    let name = text.split([' ', '*']).next_back().expect("parameters have names").to_owned();
    // Function types end in _fn.
    let is_pointer = text.contains('*') || text.split(' ').next().is_some_and(|ty| ty.ends_with("_fn"));
    Parameter { name, is_pointer }
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
