// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/**
 * What the job needs of a record: the fields are public and it has a constructor without
 * parameters, so Flink serializes it as a POJO.
 */
public final class Call {
    private static final JsonFactory JSON = new JsonFactory();

    /** Event time, ms since 1970. */
    public long time;

    /** Null where no seat took part. */
    public String seat;

    public boolean answered;

    /** Talk, hold and after-call work of an answered leg. */
    public long handle;

    public Call() {}

    /** Jackson's streaming parser: no tree, no reflection; fields that are not needed are skipped. */
    public static Call parse(byte[] json) {
        Call call = new Call();
        try (JsonParser parser = JSON.createParser(json)) {
            parser.nextToken();
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                JsonToken value = parser.nextToken();
                switch (name) {
                    case "ts" -> call.time = parser.getLongValue();
                    case "seat" -> call.seat = parser.getText();
                    case "outcome" -> call.answered = "answered".equals(parser.getText());
                    case "talk_ms", "hold_ms", "acw_ms" -> call.handle += parser.getLongValue();
                    default -> {
                        if (value.isStructStart()) {
                            parser.skipChildren();
                        }
                    }
                }
            }
        } catch (IOException error) {
            throw new IllegalArgumentException(error);
        }
        if (!call.answered) {
            call.handle = 0;
        }
        Measure.read();
        return call;
    }
}
