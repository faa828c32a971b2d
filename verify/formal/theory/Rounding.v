(** What is lost when the weights are cut down to their highest digits. *)

From Coq Require Import ZArith List Lia Bool Uint63.
From CosetVerify Require Import Definitions Sums Machine.
Import ListNotations.
Open Scope Z_scope.

(** v is h, in units of k, rounded up by less than one unit. *)
Definition near (k : Z) (h : int) (v : Z) : Prop := 0 <= v - signed h * k < k.

Lemma relu_scaled t k : 0 <= k -> relu (t * k) = relu t * k.
Proof. unfold relu. intros. destruct (Z.max_spec t 0) as [[? ->]|[? ->]]; nia. Qed.

(** One neuron: left and right weights l, r with their digits lh, rh in units of k, the votes u, v of two
    elements with their digits uh, vh in units of c. *)
Lemma neuron k c H V lh ll rh rl uh ul vh vl :
  0 < k -> 0 < c -> 0 <= ll < k -> 0 <= rl < k -> 0 <= ul < c -> 0 <= vl < c ->
  relu (lh + rh) <= H -> Z.abs uh <= V -> Z.abs vh <= V ->
  k * c * (relu (lh + rh) * (uh - vh) - (H + 4 * V + 2))
  <= relu ((lh * k + ll) + (rh * k + rl)) * ((uh * c + ul) - (vh * c + vl)).
Proof.
  intros Hk Hc Hll Hrl Hul Hvl HH HU HV.
  (* the activation grows by e < 2 k, *)
  assert (E : exists e, relu ((lh * k + ll) + (rh * k + rl)) = relu (lh + rh) * k + e /\ 0 <= e <= 2 * k).
  { exists (relu ((lh * k + ll) + (rh * k + rl)) - relu ((lh + rh) * k)).
    rewrite relu_scaled by lia. split; [lia|]. rewrite <- (relu_scaled (lh + rh) k) by lia. unfold relu. lia. }
  destruct E as [e [-> He]].
  assert (0 <= relu (lh + rh)) as H0 by apply relu_nonnegative.
  set (h := relu (lh + rh)) in *. clearbody h.
  (* the difference of the votes by f, |f| < c *)
  set (f := ul - vl). assert (- c <= f <= c) by (unfold f; lia).
  replace ((uh * c + ul) - (vh * c + vl)) with ((uh - vh) * c + f) by (unfold f; ring).
  clearbody f. set (d := uh - vh). assert (- (2 * V) <= d <= 2 * V) by (unfold d; lia). clearbody d.
  assert (A1 : - (h * k * c) <= h * k * f) by nia.
  assert (A2 : - ((2 * V + 1) * c) <= d * c + f) by nia.
  assert (A3 : - (2 * k * ((2 * V + 1) * c)) <= e * (d * c + f)).
  { assert (0 <= (2 * V + 1) * c) by nia.
    set (M := (2 * V + 1) * c) in *. set (w := d * c + f) in *. clearbody M w.
    apply Z.le_trans with (e * - M).
    - pose proof (Z.mul_le_mono_nonneg_r e (2 * k) M ltac:(assumption) ltac:(lia)). lia.
    - apply Z.mul_le_mono_nonneg_l; lia. }
  assert (A4 : h * (k * c) <= H * (k * c)).
  { apply Z.mul_le_mono_nonneg_r; [nia | assumption]. }
  replace ((h * k + e) * (d * c + f)) with (h * d * (k * c) + h * k * f + e * (d * c + f)) by ring.
  replace (k * c * (h * d - (H + 4 * V + 2)))
    with (h * d * (k * c) - H * (k * c) - 2 * k * ((2 * V + 1) * c)) by ring.
  lia.
Qed.

(** All neurons: l, r, u, v with their highest digits, and the exact weights l', r', u', v' near them. *)
Lemma rounding A V k c : forall l r u v l' r' u' v',
  0 < k -> 0 < c ->
  Forall2 (near k) l l' -> Forall2 (near k) r r' -> Forall2 (near c) u u' -> Forall2 (near c) v v' ->
  length r = length l -> length u = length l -> length v = length l ->
  Forall (within A) l -> Forall (within A) r -> Forall (within V) u -> Forall (within V) v ->
  let upper := hidden (map signed l) (map signed r) in
  k * c * (dot upper (map signed u) - dot upper (map signed v) - Z.of_nat (length l) * (2 * A + 4 * V + 2))
  <= dot (hidden l' r') u' - dot (hidden l' r') v'.
Proof.
  intros l r u v l' r' u' v' Hk Hc Nl. revert r u v r' u' v'.
  induction Nl as [|a a' l l' Na Nl IH]; intros [|b r] [|s u] [|t v] r' u' v' Nr Nu Nv E1 E2 E3 Fl Fr Fu Fv;
    try discriminate.
  - inversion_clear Nr. inversion_clear Nu. inversion_clear Nv. cbn. lia.
  - inversion_clear Nr as [|? b' ? r1 Nb Nr']. inversion_clear Nu as [|? s' ? u1 Ns Nu'].
    inversion_clear Nv as [|? t' ? v1 Nt Nv'].
    inversion_clear Fl. inversion_clear Fr. inversion_clear Fu. inversion_clear Fv.
    injection E1 as E1. injection E2 as E2. injection E3 as E3.
    specialize (IH r u v r1 u1 v1 Nr' Nu' Nv' E1 E2 E3 ltac:(assumption) ltac:(assumption) ltac:(assumption) ltac:(assumption)).
    cbn [map hidden dot length]. cbn zeta in *. rewrite Nat2Z.inj_succ.
    set (hx := hidden l' r1) in *. set (hq := hidden (map signed l) (map signed r)) in *. clearbody hx hq.
    unfold near, within in *.
    pose proof (neuron k c (2 * A) V (signed a) (a' - signed a * k) (signed b) (b' - signed b * k)
      (signed s) (s' - signed s * c) (signed t) (t' - signed t * c) Hk Hc Na Nb Ns Nt) as K.
    specialize (K ltac:(unfold relu; lia) ltac:(assumption) ltac:(assumption)).
    replace (signed a * k + (a' - signed a * k)) with a' in K by ring.
    replace (signed b * k + (b' - signed b * k)) with b' in K by ring.
    replace (signed s * c + (s' - signed s * c)) with s' in K by ring.
    replace (signed t * c + (t' - signed t * c)) with t' in K by ring.
    eapply Z.le_trans; [|eapply Z.le_trans; [exact (Z.add_le_mono _ _ _ _ K IH)|]]; apply Z.eq_le_incl; ring.
Qed.

(** * Tables of digits *)

(** n rows of m entries. *)
Definition shaped {S} (n m : nat) (T : list (list S)) : bool :=
  (length T =? n)%nat && forallb (fun row => (length row =? m)%nat) T.

Lemma shaped_spec {S} n m (T : list (list S)) : shaped n m T = true ->
  length T = n /\ forall k, (k < n)%nat -> length (nth k T []) = m.
Proof.
  intros H. apply andb_true_iff in H as [H1 H2]. apply Nat.eqb_eq in H1. split; [assumption|].
  intros k Hk. rewrite forallb_forall in H2. apply Nat.eqb_eq. apply H2. apply nth_In. lia.
Qed.

(** A table of lower digits: the shape, and every digit below 2^w. *)
Definition digits_ok (n m : nat) (w : Z) (T : list (list int)) : bool :=
  shaped n m T && forallb (forallb (fun d => d <? (1 << of_Z w))%uint63) T.

Definition table_ok (n m : nat) (w : Z) (high : list (list int)) (lower : list (list (list int))) : bool :=
  shaped n m high && ((0 <=? w) && (w <=? 62))%Z && forallb (digits_ok n m w) lower.

(** The k-th row of a matrix from its digits, without the other rows. *)
Definition matrix_row (w : Z) (k : nat) (high : list (list int)) (lower : list (list (list int))) : list Z :=
  fold_left (zip (fun v digit => v * 2 ^ w + φ (digit)%uint63)) (map (fun T => nth k T []) lower)
    (map signed (nth k high [])).

Lemma power_bound w : 0 <= w <= 62 -> φ (1 << of_Z w)%uint63 = 2 ^ w.
Proof.
  intros H. rewrite lsl_spec, of_Z_spec, wB_value. rewrite (Z.mod_small w) by lia.
  change (φ (1)%uint63) with 1. rewrite Z.mul_1_l. apply Z.mod_small. split; [apply Z.pow_nonneg; lia|].
  apply Z.pow_lt_mono_r; lia.
Qed.

Lemma digits_spec n m w T : 0 <= w <= 62 -> digits_ok n m w T = true ->
  length T = n /\ forall k, (k < n)%nat -> length (nth k T []) = m /\ Forall (fun d => 0 <= φ (d)%uint63 < 2 ^ w) (nth k T []).
Proof.
  intros Hw H. apply andb_true_iff in H as [H1 H2]. apply shaped_spec in H1 as [H1 H3]. split; [assumption|].
  intros k Hk. split; [now apply H3|]. apply Forall_forall. intros d Hd.
  rewrite forallb_forall in H2. specialize (H2 (nth k T []) ltac:(apply nth_In; lia)).
  rewrite forallb_forall in H2. apply H2, ltb_spec in Hd. rewrite power_bound in Hd by assumption.
  pose proof (machine_bounds d). lia.
Qed.

Lemma near_digits w : forall s v k t, 0 <= w -> Forall2 (near k) s v -> length t = length s ->
  Forall (fun d => 0 <= φ (d)%uint63 < 2 ^ w) t ->
  Forall2 (near (k * 2 ^ w)) s (zip (fun v digit => v * 2 ^ w + φ (digit)%uint63) v t).
Proof.
  intros s v k t Hw N. revert t. induction N as [|h a s v Nh N IH]; intros [|d t] E F; try discriminate; [constructor|].
  inversion_clear F as [|? ? Hd F']. cbn [zip]. constructor; [|apply IH; [now injection E | assumption]].
  unfold near in *. pose proof (Z.pow_pos_nonneg 2 w ltac:(lia) Hw). nia.
Qed.

(** What the digits of one row say about the row. *)
Lemma matrix_row_near n m w high lower k : table_ok n m w high lower = true -> (k < n)%nat ->
  Forall2 (near (2 ^ (w * Z.of_nat (length lower)))) (nth k high []) (matrix_row w k high lower)
  /\ length (nth k high []) = m.
Proof.
  intros H Hk. unfold table_ok in H. rewrite !andb_true_iff in H. destruct H as [[H1 [W0 W1]] H2].
  apply shaped_spec in H1 as [_ H1]. specialize (H1 k Hk). split; [|assumption].
  apply Z.leb_le in W0. apply Z.leb_le in W1.
  unfold matrix_row. set (s := nth k high []) in *.
  assert (G : forall v k0, 0 < k0 -> Forall2 (near k0) s v ->
    Forall2 (near (k0 * 2 ^ (w * Z.of_nat (length lower)))) s
      (fold_left (zip (fun v digit => v * 2 ^ w + φ (digit)%uint63)) (map (fun T => nth k T []) lower) v)).
  { induction lower as [|T lower IH]; intros v k0 K N; cbn [length map fold_left].
    - rewrite Nat2Z.inj_0, Z.mul_0_r, Z.pow_0_r, Z.mul_1_r. assumption.
    - cbn [forallb] in H2. apply andb_true_iff in H2 as [HT H2]. apply digits_spec in HT as [_ HT]; [|lia].
      destruct (HT k Hk) as [HL HF].
      replace (k0 * 2 ^ (w * Z.of_nat (S (length lower)))) with (k0 * 2 ^ w * 2 ^ (w * Z.of_nat (length lower))).
      2:{ rewrite Nat2Z.inj_succ, Z.mul_succ_r, Z.pow_add_r by lia. ring. }
      apply IH; [assumption| |].
      + pose proof (Z.pow_pos_nonneg 2 w ltac:(lia) W0). nia.
      + apply near_digits; [assumption|assumption|lia|assumption]. }
  specialize (G (map signed s) 1 ltac:(lia)). rewrite Z.mul_1_l in G. apply G.
  clear. induction s as [|a s IH]; constructor; [unfold near; lia | assumption].
Qed.

(** The rows of the definition are these rows. *)
Lemma matrix_nth n m w high lower k : table_ok n m w high lower = true -> (k < n)%nat ->
  nth k (matrix w high lower) [] = matrix_row w k high lower.
Proof.
  intros H Hk. unfold table_ok in H. rewrite !andb_true_iff in H. destruct H as [[H1 [W0 W1]] H2].
  apply shaped_spec in H1 as [H1 _]. apply Z.leb_le in W0. apply Z.leb_le in W1.
  unfold matrix, matrix_row.
  assert (G : forall M, length M = n ->
    nth k (fold_left (zip (zip (fun v digit => v * 2 ^ w + φ (digit)%uint63))) lower M) [] =
    fold_left (zip (fun v digit => v * 2 ^ w + φ (digit)%uint63)) (map (fun T => nth k T []) lower) (nth k M [])).
  { induction lower as [|T lower IH]; intros M EM; cbn [map fold_left]; [reflexivity|].
    cbn [forallb] in H2. apply andb_true_iff in H2 as [HT H2]. apply digits_spec in HT as [HL _]; [|lia].
    rewrite IH; [|assumption|rewrite zip_length; lia].
    f_equal. apply zip_nth; lia. }
  rewrite G by now rewrite map_length. f_equal. rewrite (nth_map _ _ _ []) by lia. reflexivity.
Qed.
