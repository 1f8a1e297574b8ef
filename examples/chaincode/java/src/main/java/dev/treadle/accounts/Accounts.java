package dev.treadle.accounts;

import static dev.treadle.accounts.Contract.object;
import static dev.treadle.accounts.Numbers.wholeNumber;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.hyperledger.fabric.protos.msp.SerializedIdentity;
import org.hyperledger.fabric.shim.Chaincode.Response;
import org.hyperledger.fabric.shim.ChaincodeStub;

/** Accounts and transfers, and what else is not about the state. */
final class Accounts {
    private Accounts() { }

    private static long balanceOf(final ChaincodeStub stub, final String account) {
        String value = stub.getStringState(account);
        if (value.isEmpty()) {
            throw new IllegalArgumentException("account " + account + " does not exist");
        }
        return wholeNumber("balance", value);
    }

    static Object transfer(final ChaincodeStub stub, final List<String> args) {
        String from = args.get(0);
        String to = args.get(1);
        long amount = wholeNumber("amount", args.get(2));
        if (from.equals(to)) {
            throw new IllegalArgumentException("the accounts must differ");
        }
        long fromBalance = balanceOf(stub, from);
        long toBalance = balanceOf(stub, to) + amount;
        if (fromBalance < amount) {
            throw new IllegalArgumentException(
                    "account " + from + " holds " + fromBalance + ", less than " + amount);
        }
        stub.putStringState(from, Long.toString(fromBalance - amount));
        stub.putStringState(to, Long.toString(toBalance));
        Map<String, Object> moved = object("from", from, "to", to, "amount", amount);
        stub.setEvent("transfer", Contract.encode(moved));
        moved.put("fromBalance", fromBalance - amount);
        moved.put("toBalance", toBalance);
        return moved;
    }

    static Object query(final ChaincodeStub stub, final List<String> args) {
        return object("account", args.get(0), "balance", balanceOf(stub, args.get(0)));
    }

    static Object event(final ChaincodeStub stub, final List<String> args) {
        stub.setEvent(args.get(0), args.get(1).getBytes(UTF_8));
        return object("event", args.get(0));
    }

    /** Ends the process at once, as a bug in native code would. */
    static Object crash(final ChaincodeStub stub, final List<String> args) {
        Runtime.getRuntime().halt((int) wholeNumber("exit code", args.get(0)));
        return null;
    }

    static Object sleep(final ChaincodeStub stub, final List<String> args) throws InterruptedException {
        long milliseconds = wholeNumber("milliseconds", args.get(0));
        Thread.sleep(milliseconds);
        return object("slept", milliseconds);
    }

    static Object call(final ChaincodeStub stub, final List<String> args) {
        List<byte[]> input = args.stream().skip(2).map(arg -> arg.getBytes(UTF_8)).collect(Collectors.toList());
        Response response = stub.invokeChaincode(args.get(0), input, args.get(1));
        String message = response.getMessage() == null ? "" : response.getMessage();
        String payload = response.getPayload() == null ? "" : new String(response.getPayload(), UTF_8);
        return object("status", response.getStatusCode(), "message", message, "payload", payload);
    }

    static Object info(final ChaincodeStub stub, final List<String> args) throws Exception {
        String mspId = SerializedIdentity.parseFrom(stub.getCreator()).getMspid();
        return object("channel", stub.getChannelId(), "txId", stub.getTxId(), "mspId", mspId);
    }
}
