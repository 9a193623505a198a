// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import org.apache.flink.api.common.typeinfo.TypeHint;
import org.apache.flink.api.java.tuple.Tuple5;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;

/** Flink SQL: the HOP table function. The records come from the same source, so the JSON is read alike. */
public final class FlinkSql {
    private static final String QUERY =
            """
            SELECT seat, window_end, COUNT(*) AS offered,
                   SUM(CASE WHEN answered THEN 1 ELSE 0 END) AS answered, SUM(handle) AS handle
            FROM TABLE(HOP(TABLE calls, DESCRIPTOR(event_time), INTERVAL '%d' SECONDS, INTERVAL '%d' MINUTES))
            GROUP BY seat, window_start, window_end
            """;

    private FlinkSql() {}

    public static void main(String[] words) throws Exception {
        Job job = Job.of(words);
        StreamExecutionEnvironment environment = FlinkApp.environment();
        StreamTableEnvironment tables = StreamTableEnvironment.create(environment);
        tables.getConfig().setLocalTimeZone(ZoneOffset.UTC);
        Schema schema = Schema.newBuilder()
                .column("seat", DataTypes.STRING())
                .column("answered", DataTypes.BOOLEAN().notNull())
                .column("handle", DataTypes.BIGINT().notNull())
                .columnByMetadata("event_time", DataTypes.TIMESTAMP_LTZ(3), "rowtime")
                .watermark("event_time", "SOURCE_WATERMARK()")
                .build();
        tables.createTemporaryView("calls", FlinkApp.calls(job, environment), schema);
        Table rows = tables.sqlQuery(QUERY.formatted(Job.STEP.toSeconds(), Job.WINDOW.toMinutes()));
        tables.toDataStream(rows)
                .map(row -> Tuple5.of(
                        row.<String>getFieldAs(0),
                        row.<LocalDateTime>getFieldAs(1).toInstant(ZoneOffset.UTC).toEpochMilli(),
                        row.<Long>getFieldAs(2),
                        row.<Integer>getFieldAs(3).longValue(),
                        row.<Long>getFieldAs(4)))
                .returns(new TypeHint<Tuple5<String, Long, Long, Long, Long>>() {})
                .sinkTo(new FlinkApp.RowSink());
        FlinkApp.run(job, environment, "flink-sql");
    }
}
