// SPDX-License-Identifier: Apache-2.0
package callmill.peers;

import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.java.tuple.Tuple5;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/** Flink's DataStream with its sliding windows as they come. */
public final class FlinkWindows {
    /** Sums of a seat and window. */
    public static final class Sums {
        public long offered;
        public long answered;
        public long handle;

        public Sums() {}
    }

    private static final class Add implements AggregateFunction<Call, Sums, Sums> {
        @Override
        public Sums createAccumulator() {
            return new Sums();
        }

        @Override
        public Sums add(Call call, Sums sums) {
            sums.offered++;
            sums.answered += call.answered ? 1 : 0;
            sums.handle += call.handle;
            return sums;
        }

        @Override
        public Sums getResult(Sums sums) {
            return sums;
        }

        @Override
        public Sums merge(Sums one, Sums other) {
            one.offered += other.offered;
            one.answered += other.answered;
            one.handle += other.handle;
            return one;
        }
    }

    private static final class ToRow
            extends ProcessWindowFunction<Sums, Tuple5<String, Long, Long, Long, Long>, String, TimeWindow> {
        @Override
        public void process(
                String seat,
                Context context,
                Iterable<Sums> all,
                Collector<Tuple5<String, Long, Long, Long, Long>> out) {
            Sums sums = all.iterator().next();
            out.collect(Tuple5.of(seat, context.window().getEnd(), sums.offered, sums.answered, sums.handle));
        }
    }

    private FlinkWindows() {}

    public static void main(String[] words) throws Exception {
        Job job = Job.of(words);
        StreamExecutionEnvironment environment = FlinkApp.environment();
        FlinkApp.calls(job, environment)
                .keyBy(call -> call.seat)
                .window(SlidingEventTimeWindows.of(Job.WINDOW, Job.STEP))
                .aggregate(new Add(), new ToRow())
                .sinkTo(new FlinkApp.RowSink());
        FlinkApp.run(job, environment, "flink-windows");
    }
}
