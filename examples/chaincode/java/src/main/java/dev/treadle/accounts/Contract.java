package dev.treadle.accounts;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hyperledger.fabric.shim.ChaincodeBase;
import org.hyperledger.fabric.shim.ChaincodeStub;

/** Picks the function that was asked for and answers with JSON. */
final class Contract extends ChaincodeBase {
    /** What the function of that name answers: change it to see which code runs. */
    private static final String VERSION = "1";

    private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

    private final Map<String, Function> functions = new LinkedHashMap<>();

    Contract() {
        add("transfer", "from, to, amount", 3, Accounts::transfer);
        add("query", "account", 1, Accounts::query);
        add("set", "key, value", 2, State::set);
        add("get", "key", 1, State::get);
        add("delete", "key", 1, State::delete);
        add("range", "start, end", 2, State::range);
        add("page", "start, end, size, bookmark", 4, State::page);
        add("history", "key", 1, State::history);
        add("event", "name, payload", 2, Accounts::event);
        add("tag", "value, type, attribute...", 3, State::tag);
        add("tags", "type, attribute...", 1, State::tags);
        add("crash", "exit code", 1, Accounts::crash);
        add("sleep", "milliseconds", 1, Accounts::sleep);
        add("call", "chaincode, channel, argument...", 2, Accounts::call);
        add("blob", "key, size", 2, State::blob);
        add("digest", "key", 1, State::digest);
        add("bulk", "prefix, from, count, size", 4, State::bulk);
        add("scan", "start, end", 2, State::scan);
        add("info", "", 0, Accounts::info);
        add("version", "", 0, (stub, args) -> object("contract", "accounts", "version", VERSION));
    }

    /** The code of one function. */
    interface Code {
        Object run(ChaincodeStub stub, List<String> args) throws Exception;
    }

    /** One function: its parameters for the error text, how many are required, its code. */
    private static final class Function {
        private final String parameters;
        private final int needs;
        private final Code code;

        private Function(final String parameters, final int needs, final Code code) {
            this.parameters = parameters;
            this.needs = needs;
            this.code = code;
        }
    }

    private void add(final String name, final String parameters, final int needs, final Code code) {
        functions.put(name, new Function(parameters, needs, code));
    }

    /** A JSON object from names and values, in the given order. */
    static Map<String, Object> object(final Object... namesAndValues) {
        Map<String, Object> result = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            result.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return result;
    }

    static byte[] encode(final Object result) {
        return JSON.toJson(result).getBytes(UTF_8);
    }

    /** Creates accounts from pairs of name and amount. */
    @Override
    public Response init(final ChaincodeStub stub) {
        try {
            List<String> args = stub.getParameters();
            if (args.size() % 2 != 0) {
                throw new IllegalArgumentException("init needs pairs of account and amount");
            }
            for (int i = 0; i < args.size(); i += 2) {
                stub.putStringState(args.get(i), Long.toString(Numbers.wholeNumber("amount", args.get(i + 1))));
            }
            return newSuccessResponse(encode(object("accounts", args.size() / 2)));
        } catch (RuntimeException refusal) {
            return newErrorResponse(refusal.getMessage());
        }
    }

    /** Runs the named function; what it refuses is answered with status 500. */
    @Override
    public Response invoke(final ChaincodeStub stub) {
        String name = stub.getFunction();
        List<String> args = stub.getParameters();
        if ("throw".equals(name)) {
            throw new IllegalStateException(String.join(" ", args));
        }
        try {
            return run(stub, name, args);
        } catch (Exception refusal) {
            return newErrorResponse(refusal.getMessage());
        }
    }

    private Response run(final ChaincodeStub stub, final String name, final List<String> args) throws Exception {
        if ("fail".equals(name)) {
            return newErrorResponse(String.join(" ", args));
        }
        if ("status".equals(name)) {
            return status(args);
        }
        Function chosen = functions.get(name);
        if (chosen == null) {
            throw new IllegalArgumentException("unknown function: " + name);
        }
        if (args.size() < chosen.needs) {
            throw new IllegalArgumentException(name + " needs the arguments: " + chosen.parameters);
        }
        return newSuccessResponse(encode(chosen.code.run(stub, args)));
    }

    /** Answers with a status code of the caller's choice. */
    private static Response status(final List<String> args) {
        if (args.size() < 2) {
            throw new IllegalArgumentException("status needs the arguments: code, message");
        }
        long code = Numbers.wholeNumber("code", args.get(0));
        return new Response((int) code, args.get(1), encode(object("status", code)));
    }
}
