import Heliograph
import SignalingCore

extension Routes {
    /// Answers what no route takes by a problem, as everything else that goes wrong.
    func answerTheRest() {
        otherwise { exchange in exchange.respond(Problem.notFound.reply("nothing is here")) }
        methodNotAllowed { exchange in
            let allowed = exchange.responseHeaders["allow"] ?? ""
            exchange.respond(Problem.methodNotAllowed.reply("allowed here: \(allowed)"))
        }
    }
}
