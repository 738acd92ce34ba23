//! The causes of refusals, in words for people.

/// Declares the causes, each with what it means and what to do.
macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident: $means:literal, $next:literal;)*) => {
        /// Why a provider refuses or gives up.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Cause {
            $($(#[$doc])* $name,)*
        }

        impl Cause {
            /// What it means.
            pub const fn means(self) -> &'static str {
                match self { $(Cause::$name => $means,)* }
            }

            /// What to do.
            pub const fn next(self) -> &'static str {
                match self { $(Cause::$name => $next,)* }
            }

            #[cfg(test)]
            pub(super) const ALL: &[Cause] = &[$(Cause::$name,)*];
        }
    };
}

causes! {
    /// No key came with the request.
    NoKey: "The provider wants a key, and none was sent.", "Store one for this provider in Keys (on the command line: weir-cli keys set, or --key env:NAME), then send again.";
    /// The key is not one of the provider's.
    WrongKey: "The provider does not know this key.", "Check it in Keys: it may be cut, revoked, of another provider, or of another region of this one.";
    /// The token was good once.
    Expired: "The key or token is out of date.", "Get a new one and store it in Keys.";
    /// The request's signature does not fit.
    Signature: "The signature does not fit the request.", "Check the secret key and this machine's clock; a proxy that rewrites the body breaks the signature too.";
    /// The key may not do this.
    NoRight: "The key is good, but may not do this.", "Check which models and endpoints the key or its project has a right to.";
    /// The model is not offered to this account.
    ModelAccess: "The account has no access to this model yet.", "Ask for access to the model in the provider's console, or take another model or region.";
    /// The model is behind a profile.
    Profile: "This model is not called by its own id: it is offered through an inference profile.", "Take the profile's id or ARN as the model; mostly it is the id with the region before it, such as us. or eu.";
    /// There is no such model.
    UnknownModel: "The provider has no model of this name, or none for this key.", "Choose one of the provider's list, and mind how it writes names; at Azure it is the deployment's name.";
    /// The model is not on this machine.
    NotPulled: "The model is not on the server.", "Fetch it there first (ollama pull), or choose one of its list.";
    /// The prompt does not fit.
    TooLong: "Prompt and reply together do not fit the model's context.", "Shorten the conversation, ask for fewer tokens, or take a model with a larger context.";
    /// The request does not fit.
    TooLarge: "The request has more bytes than the provider takes.", "Send smaller images or files, or give them as URLs.";
    /// A filter stopped it.
    Filtered: "The provider's content filter stopped it: the prompt, or the reply as far as it came.", "Say it in other words; where the account allows it, the filter's strength is set in the provider's console.";
    /// The money is gone.
    Quota: "The account has no credit left, or its spending limit is reached.", "Top up or raise the limit in the provider's console; trying again does not help.";
    /// Too much at once.
    RateLimit: "Too many requests or tokens in too short a time.", "Wait as long as the headers say, then send again, with fewer tokens or less often.";
    /// The provider is busy.
    Overloaded: "The provider has more to do than it can.", "Try again in a while; another model or region may be free.";
    /// The provider broke.
    Server: "The provider failed; the fault is not in your request.", "Try again in a while; keep the request id for its support.";
    /// It took too long.
    Timeout: "The provider gave up waiting for the model.", "Try again, with a shorter prompt or a lower token limit; ask for a stream.";
    /// Not from here.
    Region: "The provider does not serve the place the request came from.", "Use it from a place it serves, or by a cloud that offers the model where you are.";
    /// A member is wrong.
    Parameter: "A member of the request is one the model does not take, or has a value it does not take.", "Remove or change what the message names; see the raw body for what was sent.";
    /// The model cannot do that.
    Unsupported: "This model cannot do what was asked of it.", "Leave out what the message names (tools, images, thinking), or take a model that can.";
    /// A schema is refused.
    Schema: "A JSON Schema of a tool or of the output is not taken.", "Strict schemas want additionalProperties false and every property required; see what the message names.";
    /// Only streams.
    StreamOnly: "This model answers in a stream only.", "Choose the transport SSE.";
    /// The path is wrong.
    Endpoint: "This endpoint does not serve this model or path.", "Check the URL; some models live at another path, such as that for multimodal ones.";
    /// An old form was used.
    BetaOff: "The request has the form of a beta that is switched off.", "Take the OpenAI-Beta header out, and use the event names of the released API.";
    /// The response is not known.
    PreviousGone: "The provider does not have the response that was to be followed.", "Send the whole conversation again, without previous_response_id.";
    /// The socket is old.
    SocketOld: "The connection reached the provider's time limit.", "Open another; the conversation can be sent again with it.";
    /// A response is under way.
    Busy: "A response is still under way on this connection.", "Wait for its end or cancel it, then ask again.";
    /// The model is loaded.
    Loading: "The model is still being loaded.", "Try again in a while; how long it takes depends on the model's size.";
    /// No memory.
    Memory: "The machine has too little memory for this model.", "Take a smaller model or a shorter context, or free memory there.";
    /// Calls and results.
    ToolTurns: "Tool calls and their results do not match: each call wants one result, right after it, by its id.", "Check the tool turns of the conversation.";
    /// A picture or a file.
    Media: "An image or file could not be fetched or read.", "Check its format and size; a URL must be open to the provider.";
    /// Protocol version.
    Version: "The server does not speak this version of the protocol.", "Choose a version that the server lists.";
}
