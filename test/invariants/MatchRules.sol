// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC734} from "../../contracts/interfaces/IERC734.sol";
import {IWorkerpoolRegistry} from "../../contracts/interfaces/IWorkerpoolRegistry.sol";
import {AppOrder, DatasetOrder, OrderKind, RequestOrder, WorkerpoolOrder} from "../../contracts/types/Orders.sol";
import {OrderBook} from "./OrderBook.sol";

/// @title MatchRules
/// @notice Which orders may become a deal, said once more.
abstract contract MatchRules is OrderBook {
    struct Quad {
        AppOrder app;
        DatasetOrder dataset;
        WorkerpoolOrder workerpool;
        RequestOrder request;
    }

    uint256 internal constant MAX_PARAMS = 24_000;
    bytes32 internal constant ENCLAVE = bytes32(uint256(1));
    bytes32 internal constant ENCLAVE_KINDS = bytes32(uint256(14));

    /// @dev The time unit of each category.
    uint256[] internal _timerefs;

    /// @dev How many tasks the orders make if `payer` pays; none if they must not match.
    function _matchable(Quad memory q, address payer) internal view returns (uint256 volume) {
        bool fits = _termsFit(q) && _tagsFit(q) && _nobodyIsExcluded(q) && _allAlive(q);
        if (!fits) return 0;
        volume = _min(_left(_hash(q.app)), _left(_hash(q.workerpool)));
        volume = _min(volume, _left(_hash(q.request)));
        if (_hasDataset(q)) volume = _min(volume, _left(_hash(q.dataset)));
        if (!_isPaidFor(q, payer, volume)) return 0;
    }

    function _hasDataset(Quad memory q) internal pure returns (bool) {
        return q.dataset.dataset != NOBODY;
    }

    function _costOf(Quad memory q) internal pure returns (uint256) {
        return q.app.appprice + (_hasDataset(q) ? q.dataset.datasetprice : 0) + q.workerpool.workerpoolprice;
    }

    function _stakeOf(uint256 workerpoolPrice) internal pure returns (uint256) {
        return (workerpoolPrice * 30) / 100;
    }

    function _tagOf(Quad memory q) internal pure returns (bytes32) {
        bytes32 dataset = _hasDataset(q) ? q.dataset.tag & ~ENCLAVE_KINDS : bytes32(0);
        return q.app.tag | dataset | q.request.tag;
    }

    function _policyOf(address workerpool) internal view returns (uint256 stakeRatio, uint256 rewardRatio) {
        (, stakeRatio, rewardRatio) = IWorkerpoolRegistry(address(_registries[2])).termsOf(workerpool);
    }

    function _admits(address restriction, address candidate) internal view returns (bool) {
        if (restriction == NOBODY || restriction == candidate) return true;
        if (restriction != _group) return false;
        return IERC734(_group).keyHasPurpose(bytes32(uint256(uint160(candidate))), 4);
    }

    function _min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function _termsFit(Quad memory q) private view returns (bool) {
        RequestOrder memory r = q.request;
        if (r.category != q.workerpool.category || r.category >= _timerefs.length) return false;
        if (r.trust > q.workerpool.trust) return false;
        if (q.app.appprice > r.appmaxprice || q.workerpool.workerpoolprice > r.workerpoolmaxprice) return false;
        if (_hasDataset(q) && q.dataset.datasetprice > r.datasetmaxprice) return false;
        return r.app == q.app.app && r.dataset == q.dataset.dataset && bytes(r.params).length <= MAX_PARAMS;
    }

    function _tagsFit(Quad memory q) private pure returns (bool) {
        bytes32 tag = _tagOf(q);
        return tag & ~q.workerpool.tag == 0 && tag & ENCLAVE == q.app.tag & ENCLAVE;
    }

    function _nobodyIsExcluded(Quad memory q) private view returns (bool) {
        (address app, address dataset, address pool) = (q.app.app, q.dataset.dataset, q.workerpool.workerpool);
        address requester = q.request.requester;
        bool fits = _admits(q.request.workerpool, pool);
        fits = fits && _admits(q.app.datasetrestrict, dataset);
        fits = fits && _admits(q.app.workerpoolrestrict, pool);
        fits = fits && _admits(q.app.requesterrestrict, requester);
        fits = fits && _admits(q.workerpool.apprestrict, app);
        fits = fits && _admits(q.workerpool.datasetrestrict, dataset);
        fits = fits && _admits(q.workerpool.requesterrestrict, requester);
        return fits && (dataset == NOBODY || _datasetAdmits(q.dataset, app, pool, requester));
    }

    function _datasetAdmits(
        DatasetOrder memory order,
        address app,
        address pool,
        address requester
    ) internal view returns (bool) {
        return
            _admits(order.apprestrict, app) &&
            _admits(order.workerpoolrestrict, pool) &&
            _admits(order.requesterrestrict, requester);
    }

    function _allAlive(Quad memory q) private view returns (bool) {
        if (_hasDataset(q) && !_isAlive(_hash(q.dataset))) return false;
        return _isAlive(_hash(q.app)) && _isAlive(_hash(q.workerpool)) && _isAlive(_hash(q.request));
    }

    /// @dev The payer pays all tasks, and the owner of the pool stakes on them.
    function _isPaidFor(Quad memory q, address payer, uint256 volume) private view returns (bool) {
        uint256 price = q.workerpool.workerpoolprice;
        uint256 cost = _costOf(q);
        if (cost > 0 && volume > MAX_SUPPLY) return false;
        (uint256 stakeRatio, ) = _policyOf(q.workerpool.workerpool);
        if (price > 0 && stakeRatio > type(uint256).max / price) return false;
        address owner = _ownerOf(OrderKind.WORKERPOOL, q.workerpool.workerpool);
        uint256 stake = _stakeOf(price) * volume;
        uint256 free = _free[payer];
        if (payer != owner) return cost * volume <= free && stake <= _free[owner];
        return cost * volume + stake <= free;
    }
}
