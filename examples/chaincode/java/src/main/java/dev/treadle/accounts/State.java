package dev.treadle.accounts;

import static dev.treadle.accounts.Contract.object;
import static dev.treadle.accounts.Numbers.wholeNumber;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import org.hyperledger.fabric.protos.peer.QueryResponseMetadata;
import org.hyperledger.fabric.shim.ChaincodeStub;
import org.hyperledger.fabric.shim.ledger.CompositeKey;
import org.hyperledger.fabric.shim.ledger.KeyModification;
import org.hyperledger.fabric.shim.ledger.KeyValue;
import org.hyperledger.fabric.shim.ledger.QueryResultsIterator;
import org.hyperledger.fabric.shim.ledger.QueryResultsIteratorWithMetadata;

/** Keys and values: single ones, ranges, pages, history, composite keys, large ones, many. */
final class State {
    private State() { }

    /** A value as JSON shows it; a missing one is null. */
    private static String text(final byte[] value) {
        return value == null || value.length == 0 ? null : new String(value, UTF_8);
    }

    /** A value of that many bytes: a to z, over and over. */
    private static byte[] filler(final long size) {
        byte[] value = new byte[(int) size];
        for (int i = 0; i < value.length; i++) {
            value[i] = (byte) ('a' + i % 26);
        }
        return value;
    }

    private static List<Object> entries(final Iterable<KeyValue> results) {
        List<Object> found = new ArrayList<>();
        for (KeyValue item : results) {
            found.add(object("key", item.getKey(), "value", text(item.getValue())));
        }
        return found;
    }

    static Object set(final ChaincodeStub stub, final List<String> args) {
        byte[] value = args.get(1).getBytes(UTF_8);
        stub.putState(args.get(0), value);
        return object("key", args.get(0), "bytes", value.length);
    }

    static Object get(final ChaincodeStub stub, final List<String> args) {
        return object("key", args.get(0), "value", text(stub.getState(args.get(0))));
    }

    static Object delete(final ChaincodeStub stub, final List<String> args) {
        stub.delState(args.get(0));
        return object("key", args.get(0));
    }

    static Object range(final ChaincodeStub stub, final List<String> args) throws Exception {
        try (QueryResultsIterator<KeyValue> results = stub.getStateByRange(args.get(0), args.get(1))) {
            return entries(results);
        }
    }

    static Object page(final ChaincodeStub stub, final List<String> args) throws Exception {
        int size = (int) wholeNumber("size", args.get(2));
        try (QueryResultsIteratorWithMetadata<KeyValue> results =
                stub.getStateByRangeWithPagination(args.get(0), args.get(1), size, args.get(3))) {
            QueryResponseMetadata metadata = results.getMetadata();
            return object("items", entries(results), "fetched", metadata.getFetchedRecordsCount(),
                    "bookmark", metadata.getBookmark());
        }
    }

    static Object history(final ChaincodeStub stub, final List<String> args) throws Exception {
        List<Object> changes = new ArrayList<>();
        try (QueryResultsIterator<KeyModification> results = stub.getHistoryForKey(args.get(0))) {
            for (KeyModification item : results) {
                changes.add(object("txId", item.getTxId(), "value", text(item.getValue()),
                        "deleted", item.isDeleted(), "seconds", item.getTimestamp().getEpochSecond()));
            }
        }
        return changes;
    }

    static Object tag(final ChaincodeStub stub, final List<String> args) {
        List<String> attributes = args.subList(2, args.size());
        CompositeKey key = stub.createCompositeKey(args.get(1), attributes.toArray(new String[0]));
        stub.putStringState(key.toString(), args.get(0));
        return object("type", args.get(1), "attributes", attributes, "value", args.get(0));
    }

    static Object tags(final ChaincodeStub stub, final List<String> args) throws Exception {
        CompositeKey prefix = new CompositeKey(args.get(0), args.subList(1, args.size()));
        List<Object> found = new ArrayList<>();
        try (QueryResultsIterator<KeyValue> results = stub.getStateByPartialCompositeKey(prefix)) {
            for (KeyValue item : results) {
                List<String> attributes = stub.splitCompositeKey(item.getKey()).getAttributes();
                found.add(object("attributes", attributes, "value", item.getStringValue()));
            }
        }
        return found;
    }

    static Object blob(final ChaincodeStub stub, final List<String> args) {
        long size = wholeNumber("size", args.get(1));
        stub.putState(args.get(0), filler(size));
        return object("key", args.get(0), "bytes", size);
    }

    static Object digest(final ChaincodeStub stub, final List<String> args) throws NoSuchAlgorithmException {
        byte[] value = stub.getState(args.get(0));
        byte[] sum = MessageDigest.getInstance("SHA-256").digest(value);
        return object("key", args.get(0), "bytes", value.length, "sha256", hex(sum));
    }

    static Object bulk(final ChaincodeStub stub, final List<String> args) {
        long from = wholeNumber("from", args.get(1));
        long count = wholeNumber("count", args.get(2));
        byte[] value = filler(wholeNumber("size", args.get(3)));
        for (long i = from; i < from + count; i++) {
            stub.putState(args.get(0) + String.format("%08d", i), value);
        }
        return object("written", count);
    }

    /** Hashes a whole range: key, zero byte, value, zero byte of each entry. */
    static Object scan(final ChaincodeStub stub, final List<String> args) throws Exception {
        MessageDigest hash = MessageDigest.getInstance("SHA-256");
        int count = 0;
        try (QueryResultsIterator<KeyValue> results = stub.getStateByRange(args.get(0), args.get(1))) {
            for (KeyValue item : results) {
                hash.update(item.getKey().getBytes(UTF_8));
                hash.update((byte) 0);
                hash.update(item.getValue());
                hash.update((byte) 0);
                count++;
            }
        }
        return object("count", count, "sha256", hex(hash.digest()));
    }

    private static String hex(final byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append(String.format("%02x", b));
        }
        return text.toString();
    }
}
